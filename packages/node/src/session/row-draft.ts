import { setColumn, type ChangeRow, type Value } from '@tidemark/core/adapter'

/** The table of a change, at the version that the change was made under. */
export interface TableStamp {
  readonly name: string
  readonly version: number
}

/** A change without what its transaction says of it. */
export interface RowDraft {
  readonly table: TableStamp
  readonly op: 'insert' | 'update' | 'delete' | 'snapshot'
  readonly key: ChangeRow
  readonly before: ChangeRow | null
  readonly after: ChangeRow | null
  readonly changed: readonly string[] | undefined
  readonly unavailable: readonly string[]
  /** Roughly what it takes in memory, and its event too. */
  readonly bytes: number
}

/** An event with its transaction, its source and its three rows, without their values. */
const EVENT_BYTES = 400
const CELL_BYTES = 16

/** Columns without a name or a value are left out. */
export function toRow(names: readonly (string | undefined)[], values: readonly (Value | undefined)[]): ChangeRow {
  const row: Record<string, Value> = {}
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index]
    const value = values[index]
    if (name !== undefined && value !== undefined) setColumn(row, name, value)
  }
  return row
}

export function draftBytes(...images: readonly (readonly (Value | undefined)[])[]): number {
  return images.reduce((bytes, image) => bytes + imageBytes(image), EVENT_BYTES)
}

export function imageBytes(values: readonly (Value | undefined)[]): number {
  let bytes = 0
  for (const value of values) bytes += CELL_BYTES + (typeof value === 'string' || value instanceof Uint8Array ? value.length : 0)
  return bytes
}
