import type { ExportRowPage, ExportView } from '../../dialect/export-source.ts'
import type { DumpFormat, RowEncoder } from '../../dump/dump-format.ts'
import type { ManifestTable } from '../../dump/manifest.ts'
import type { StreamCursor } from '../export-state.ts'
import type { Chunk, ChunkReader } from './chunk.ts'
import type { PageMeter } from './page-meter.ts'

const MAX_PAGE_ROWS = 10_000

export interface EncodedChunksOptions {
  readonly view: ExportView
  readonly format: DumpFormat
  readonly table: ManifestTable
  readonly index: number
  readonly chunkBytes: number
  readonly cursor: StreamCursor
  readonly to: number
  readonly meter: PageMeter
}

/**
 * Objects of a format whose bytes exist only when the last row is known, such as Parquet. One ends with the row that reaches its size: where a page of
 * the source ended decides nothing, so the same rows give the same objects.
 */
export class EncodedChunks implements ChunkReader {
  readonly #options: EncodedChunksOptions
  #cursor: StreamCursor
  #page: ExportRowPage = { rows: [], cursorAfter: () => '', isLast: false }
  /** Rows of the page that are in an object. */
  #taken = 0
  #isEnded = false

  constructor(options: EncodedChunksOptions) {
    this.#options = options
    this.#cursor = options.cursor
  }

  async next(signal: AbortSignal): Promise<Chunk | undefined> {
    const { format, table, index, chunkBytes, to } = this.#options
    if (this.#isEnded) return undefined
    const encoder = format.encoder(table)
    let rowCount = 0
    while (encoder.size < chunkBytes && await this.#hasMore(signal)) rowCount += this.#add(encoder)
    this.#isEnded = !await this.#hasMore(signal)
    const cursor = this.#isEnded ? { section: to } : this.#cursor
    return { bytes: encoder.take(), rows: { [index]: rowCount }, rowCount, cursor, isLast: this.#isEnded }
  }

  #add(encoder: RowEncoder): number {
    const { rows } = this.#page
    const from = this.#taken
    for (; this.#taken < rows.length && encoder.size < this.#options.chunkBytes; this.#taken += 1) encoder.add(rows[this.#taken] ?? [])
    this.#cursor = { section: this.#cursor.section, after: this.#page.cursorAfter(this.#taken - 1) }
    return this.#taken - from
  }

  async #hasMore(signal: AbortSignal): Promise<boolean> {
    const { view, index, meter } = this.#options
    while (this.#taken >= this.#page.rows.length) {
      if (this.#page.isLast) return false
      const limit = { rows: MAX_PAGE_ROWS, bytes: meter.bytes }
      // Of a page that is used up, the last row is where the cursor stands.
      this.#page = await meter.read(() => view.readRows({ table: index, after: this.#cursor.after, limit, signal }), signal)
      this.#taken = 0
    }
    return true
  }
}
