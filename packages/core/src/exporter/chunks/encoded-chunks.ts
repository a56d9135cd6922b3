import type { RowValues } from '../../change/value.ts'
import type { ExportView } from '../../dialect/export-source.ts'
import type { DumpFormat } from '../../dump/dump-format.ts'
import type { ManifestTable } from '../../dump/manifest.ts'
import type { StreamCursor } from '../export-state.ts'
import type { Chunk, ChunkReader } from './chunk.ts'
import type { PageMeter } from './page-meter.ts'

/** Small pages: an object ends with the page that reaches its size, so that no page is read twice. */
const PAGE_ROWS = 2_000

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

/** Objects of a format whose bytes exist only when the last row is known, such as Parquet. */
export class EncodedChunks implements ChunkReader {
  readonly #options: EncodedChunksOptions
  #cursor: StreamCursor
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
    while (!this.#isEnded && encoder.size < chunkBytes) {
      const rows = await this.#page(signal)
      for (const row of rows) encoder.add(row)
      rowCount += rows.length
    }
    const cursor = this.#isEnded ? { section: to } : this.#cursor
    return { bytes: encoder.take(), rows: { [index]: rowCount }, rowCount, cursor, isLast: this.#isEnded }
  }

  async #page(signal: AbortSignal): Promise<readonly RowValues[]> {
    const { view, index, chunkBytes, meter } = this.#options
    const limit = { rows: PAGE_ROWS, bytes: chunkBytes }
    const page = await meter.read(() => view.readRows({ table: index, after: this.#cursor.after, limit, signal }), signal)
    if (page.rows.length > 0) this.#cursor = { section: this.#cursor.section, after: page.cursorAfter(page.rows.length - 1) }
    this.#isEnded = page.isLast
    return page.rows
  }
}
