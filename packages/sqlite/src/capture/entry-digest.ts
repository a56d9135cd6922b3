import type { Value } from '@tidemark/core/adapter'

/** Characters of a value that count. What is behind them only counts by its length. */
const MAX_LENGTH = 256

/**
 * A short digest of a log entry: 64 bits in two FNV-1a lanes (Fowler, Noll, Vo; draft-eastlake-fnv). A checkpoint carries that
 * of its last entry. When a database was restored from a backup and written to since, the entry of that number is another one.
 */
export function entryDigest(seq: number, values: readonly Value[]): string {
  let low = 0x811c9dc5
  let high = 0x9dc5811c
  const add = (code: number): void => {
    low = Math.imul(low ^ code, 0x01000193)
    high = Math.imul(high ^ code ^ (low >>> 24), 0x01000193)
  }
  const addText = (text: string): void => {
    for (let index = 0; index < text.length && index < MAX_LENGTH; index += 1) add(text.charCodeAt(index))
    add(text.length)
  }
  addText(String(seq))
  // A log may have been widened since: trailing NULLs must not count.
  const end = values.findLastIndex((value) => value !== null)
  for (const value of values.slice(0, end + 1)) {
    // Whether a whole number was read as an integer or as a double depends on the reader.
    if (value instanceof Uint8Array) for (const byte of value.subarray(0, MAX_LENGTH)) add(byte)
    addText(value instanceof Uint8Array ? `b${value.length}` : `${typeof value === 'string' ? 's' : 'n'}${String(value)}`)
  }
  return (high >>> 0).toString(16).padStart(8, '0') + (low >>> 0).toString(16).padStart(8, '0')
}
