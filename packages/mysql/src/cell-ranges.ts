import { TidemarkError } from '@tidemark/core/adapter'

const NULL_MARKER = 0xfb

/**
 * Where the cells of one row packet lie. A cell is a length-encoded string, NULL the single byte 0xFB (manual, "Text
 * Resultset Row", "Length-Encoded Integers"). Made once and filled again for every row.
 */
export class CellRanges {
  /** Start of each cell, -1 for NULL. */
  starts = new Int32Array(32)
  ends = new Int32Array(32)
  count = 0

  /** Errors: `SOURCE_CORRUPT_RESULT` when a cell reaches over the row's end. */
  read(bytes: Buffer, start: number, end: number): void {
    let position = start
    let count = 0
    while (position < end) {
      if (count === this.starts.length) this.#grow()
      const first = bytes[position++] ?? NULL_MARKER
      if (first === NULL_MARKER) {
        this.starts[count] = -1
        this.ends[count++] = -1
        continue
      }
      let length = first
      if (first > NULL_MARKER) {
        const width = first === 0xfc ? 2 : first === 0xfd ? 3 : 8
        length = readLength(bytes, position, width)
        position += width
      }
      this.starts[count] = position
      position += length
      this.ends[count++] = position
    }
    if (position !== end) throw new TidemarkError('SOURCE_CORRUPT_RESULT', 'A row of the MySQL server ends within a cell.')
    this.count = count
  }

  text(bytes: Buffer, cell: number): string | null {
    const start = this.starts[cell] ?? -1
    return start === -1 ? null : bytes.toString('utf8', start, this.ends[cell])
  }

  #grow(): void {
    const starts = new Int32Array(this.starts.length * 2)
    starts.set(this.starts)
    const ends = new Int32Array(starts.length)
    ends.set(this.ends)
    this.starts = starts
    this.ends = ends
  }
}

/** No row is longer than 1 GiB (`max_allowed_packet`), so the upper half of eight bytes is zero. */
function readLength(bytes: Buffer, position: number, width: number): number {
  if (position + width > bytes.length) throw new TidemarkError('SOURCE_CORRUPT_RESULT', 'A row of the MySQL server ends within a length.')
  return bytes.readUIntLE(position, Math.min(width, 6))
}
