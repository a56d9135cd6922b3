import type { AbortOptions, BlockPage, ExportBlock } from '@tidemark/core/adapter'
import { NEWLINE } from '../copy-text.ts'
import { BlockBuffer } from './block-buffer.ts'
import { parsePlace, printPlace } from './scan-place.ts'
import type { ScanChunk, TableScan } from './table-scan.ts'

export interface BlockReaderOptions {
  readonly scan: TableScan
  /** `COPY … FROM stdin;` with its line break. */
  readonly head: string
  /** A block ends with the row that reaches this, wherever pages and ranges end: the same rows give the same blocks. */
  readonly blockBytes: number
  readonly after: string | undefined
}

/** The rows of a table as blocks that psql loads. The server's bytes are passed on as they are; only the ends of rows are looked for. */
export class BlockReader {
  readonly #options: BlockReaderOptions
  readonly #buffer: BlockBuffer
  #chunk: ScanChunk | undefined
  /** Of the chunk at hand, looked at already. */
  #at = 0
  #range: number
  #rows: number
  /** Rows of the range that are in blocks before. */
  #skip: number
  #position: string | undefined

  constructor(options: BlockReaderOptions) {
    this.#options = options
    this.#buffer = new BlockBuffer(options.head, options.blockBytes)
    const { range, rows } = parsePlace(options.after)
    this.#range = range
    this.#rows = 0
    this.#skip = rows
    this.#position = options.after
  }

  /** Where the next page begins. */
  get position(): string | undefined {
    return this.#position
  }

  async page(bytes: number, options: AbortOptions): Promise<BlockPage> {
    this.#buffer.recycle()
    const blocks: ExportBlock[] = []
    for (let read = 0; read < bytes;) {
      const block = await this.#next(options)
      if (block === undefined) return { blocks, isLast: true }
      blocks.push(block)
      read += block.bytes.length
      this.#position = block.last
    }
    return { blocks, isLast: false }
  }

  close(): void {
    this.#options.scan.close()
  }

  async #next(options: AbortOptions): Promise<ExportBlock | undefined> {
    for (;;) {
      const chunk = this.#chunk ?? await this.#options.scan.next(options)
      if (chunk === undefined) return this.#buffer.rows === 0 ? undefined : this.#take()
      this.#enter(chunk)
      if (this.#fill(chunk.bytes)) return this.#take()
    }
  }

  #enter(chunk: ScanChunk): void {
    if (this.#chunk === chunk) return
    this.#chunk = chunk
    this.#at = 0
    if (chunk.range === this.#range) return
    this.#range = chunk.range
    this.#rows = 0
    this.#skip = 0
  }

  /** Takes rows of the chunk until the block is full, and says whether it is. */
  #fill(bytes: Uint8Array): boolean {
    let from = this.#at
    for (let end = bytes.indexOf(NEWLINE, this.#at); end >= 0; end = bytes.indexOf(NEWLINE, end + 1)) {
      this.#rows += 1
      if (this.#rows <= this.#skip) {
        from = end + 1
        continue
      }
      if (!this.#buffer.isFullWith(end + 1 - from)) {
        this.#buffer.rows += 1
        continue
      }
      this.#buffer.rows += 1
      this.#buffer.add(bytes, from, end + 1)
      this.#at = end + 1
      return true
    }
    // Of a row that is skipped, no part is kept.
    if (this.#rows >= this.#skip) this.#buffer.add(bytes, from, bytes.length)
    this.#chunk = undefined
    return false
  }

  #take(): ExportBlock {
    const { rows } = this.#buffer
    return { bytes: this.#buffer.take(), rows, last: printPlace({ range: this.#range, rows: this.#rows }) }
  }
}
