import { setColumn, type ChangeRow, type Value } from '@tidemark/core/adapter'
import type { StreamRow } from './pgoutput-messages.ts'

/** The columns that were sent. */
export function makeRow(names: readonly string[], row: StreamRow): ChangeRow {
  const image: Record<string, Value> = {}
  for (let place = 0; place < names.length; place += 1) {
    const value = row[place]
    if (value !== undefined) setColumn(image, names[place] ?? '', value)
  }
  return image
}

/** Some columns of a row; `null` where there are none to pick. */
export function pickColumns(names: readonly string[], row: StreamRow, places: readonly number[]): ChangeRow | null {
  if (places.length === 0) return null
  const image: Record<string, Value> = {}
  for (const place of places) setColumn(image, names[place] ?? '', row[place] ?? null)
  return image
}

export function isSameValue(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b) return true
  if (!(a instanceof Uint8Array) || !(b instanceof Uint8Array) || a.length !== b.length) return false
  return a.every((byte, index) => byte === b[index])
}
