import { setColumn, type ChangeRow, type Value } from '@tidemark/core/adapter'
import type { ValueReader } from './value-reading.ts'

export interface ImageColumn {
  readonly name: string
  readonly read: ValueReader
}

/** A row from the driver's values from place `at` on. */
export function readImage(columns: readonly ImageColumn[], row: readonly Value[], at: number): ChangeRow {
  const image: Record<string, Value> = {}
  for (let index = 0; index < columns.length; index += 1) {
    const column = columns[index]
    if (column !== undefined) setColumn(image, column.name, column.read(row[at + index] ?? null))
  }
  return image
}

/** Some columns of a row. */
export function pick(names: readonly string[], row: ChangeRow): ChangeRow {
  const image: Record<string, Value> = {}
  for (const name of names) setColumn(image, name, row[name] ?? null)
  return image
}
