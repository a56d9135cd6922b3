import type { RowValues } from '../change/value.ts'

const FIXED_BYTES = 8

/** Roughly what rows take in memory; text counts its length in UTF-16 units. */
export function rowBytes(rows: readonly RowValues[]): number {
  let bytes = 0
  for (const row of rows) {
    for (const value of row) {
      bytes += FIXED_BYTES + (typeof value === 'string' || value instanceof Uint8Array ? value.length : 0)
    }
  }
  return bytes
}
