import { TidemarkError, type Cursor, type RowDecoder, type RowSink } from '@tidemark/core/adapter'
import type { CellDecoder } from './cell-decoder.ts'
import { CellRanges } from './cell-ranges.ts'
import { PacketFramer } from './packet-framer.ts'

/** Where in a row the parts of its cursor stand. */
export interface CursorCells {
  readonly tracking: number | undefined
  readonly key: readonly number[]
}

export interface RowLayout {
  /** Cells in front of the columns: a page's head and cells selected only for the cursor. */
  readonly lead: number
  readonly columns: readonly CellDecoder[]
  readonly cursor: CursorCells | undefined
  /** Shown each row's first cells as text; a row for which it returns false is no row. */
  readonly onLead?: ((text: (cell: number) => string | null) => boolean) | undefined
}

/** Turns row packets into cells, straight from the socket's bytes. */
export class MysqlRowDecoder implements RowDecoder {
  readonly #layout: RowLayout
  readonly #framer: PacketFramer
  readonly #ranges = new CellRanges()
  /** Set during `push` only. */
  #sink: RowSink | undefined
  /** The buffer of the last row, until the chunk's end. */
  #lastBytes: Buffer | undefined
  #last: Cursor | undefined
  #rows = 0

  constructor(layout: RowLayout) {
    this.#layout = layout
    this.#framer = new PacketFramer((bytes, start, end) => this.#row(bytes, start, end))
  }

  get rows(): number {
    return this.#rows
  }

  get last(): Cursor | undefined {
    return this.#last
  }

  push(chunk: Uint8Array, sink: RowSink): void {
    this.#sink = sink
    this.#framer.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    this.#sink = undefined
    // Once for a chunk, not for a row: until here the last row's ranges and bytes stand.
    if (this.#lastBytes !== undefined) this.#last = this.#cursorOf(this.#lastBytes)
    this.#lastBytes = undefined
  }

  end(): void {
    if (!this.#framer.isBetweenRows) throw new TidemarkError('SOURCE_CORRUPT_RESULT', 'The MySQL result ends within a row.')
  }

  #row(bytes: Buffer, start: number, end: number): void {
    const { lead, columns, onLead } = this.#layout
    const ranges = this.#ranges
    const sink = this.#sink
    ranges.read(bytes, start, end)
    if (sink === undefined || ranges.count !== lead + columns.length) {
      throw new TidemarkError('SOURCE_CORRUPT_RESULT', 'A row of the MySQL server has a wrong number of cells.')
    }
    if (onLead !== undefined && !onLead((cell) => ranges.text(bytes, cell))) return
    const { starts, ends } = ranges
    for (let i = 0; i < columns.length; i++) {
      const from = starts[lead + i] ?? -1
      if (from === -1) sink.null()
      else columns[i]?.(bytes, from, ends[lead + i] ?? from, sink)
    }
    sink.endRow()
    this.#rows++
    this.#lastBytes = bytes
  }

  #cursorOf(bytes: Buffer): Cursor | undefined {
    const { cursor } = this.#layout
    if (cursor === undefined) return undefined
    const part = (cell: number): string => {
      const text = this.#ranges.text(bytes, cell)
      if (text !== null) return text
      throw new TidemarkError('KEY_REQUIRED', 'A key column holds NULL, so rows can\'t be read in order of it.', { remedy: 'Name a key whose columns are NOT NULL.' })
    }
    const key = cursor.key.map(part)
    return cursor.tracking === undefined ? { key } : { tracking: part(cursor.tracking), key }
  }
}
