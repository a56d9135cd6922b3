import { TidemarkError, type RowValues, type Value } from '@tidemark/core/adapter'

/** SQLite's own limit as it is built by default, SQLITE_MAX_LENGTH (sqlite.org, "Limits"); it refuses such rows by itself. */
const ENGINE_LIMIT_BYTES = 1_000_000_000
const NUMBER_BYTES = 8

/** Throws `TARGET_ROW_TOO_LARGE` for the first row above a limit that is stricter than SQLite's own. */
export function refuseLargeRows(rows: readonly RowValues[], maxRowBytes: number): void {
  if (maxRowBytes >= ENGINE_LIMIT_BYTES) return
  for (const row of rows) {
    let bytes = 0
    for (const value of row) bytes += valueBytes(value)
    if (bytes > maxRowBytes) throw rowTooLarge(maxRowBytes)
  }
}

/** Bytes that a value takes in a row, for numbers an upper bound. */
export function valueBytes(value: Value): number {
  if (value === null) return 0
  if (typeof value === 'string') return utf8Bytes(value)
  return value instanceof Uint8Array ? value.length : NUMBER_BYTES
}

export function rowTooLarge(maxRowBytes: number): TidemarkError {
  return new TidemarkError('TARGET_ROW_TOO_LARGE', `A row is larger than ${maxRowBytes} bytes.`)
}

/** Without encoding it: a text that is refused may be very long. A lone surrogate counts as the character that replaces it. */
function utf8Bytes(text: string): number {
  let bytes = text.length
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index)
    if (unit < 0x80) continue
    if (unit < 0x800) bytes += 1
    // The two halves of a pair take four bytes together.
    else if (unit >= 0xd800 && unit < 0xe000) bytes += 1
    else bytes += 2
  }
  return bytes
}
