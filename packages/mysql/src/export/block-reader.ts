import type { AbortOptions, BlockPage, ExportBlock } from '@tidemark/core/adapter'
import { BlockBuilder } from './block-builder.ts'
import type { BlockLayout } from './block-layout.ts'
import { parsePosition } from './scan-position.ts'
import type { TableScan } from './table-scan.ts'

/** The statements of a table from a place on, a page at a time. */
export class BlockReader {
  readonly scan: TableScan
  readonly #builder: BlockBuilder
  #ready: ExportBlock[] = []
  /** The last page. */
  #given: readonly ExportBlock[] = []
  #isEnded = false
  #position: string | undefined

  constructor(scan: TableScan, layout: BlockLayout, after: string | undefined) {
    this.scan = scan
    this.#position = after
    this.#builder = new BlockBuilder(layout, parsePosition(after))
  }

  /** Where the next page begins. */
  get position(): string | undefined {
    return this.#position
  }

  async page(bytes: number, options: AbortOptions): Promise<BlockPage> {
    this.#builder.recycle(this.#given)
    const blocks: ExportBlock[] = []
    this.#given = blocks
    for (let size = 0; size < bytes;) {
      const block = await this.#next(options)
      if (block === undefined) break
      blocks.push(block)
      size += block.bytes.length
      this.#position = block.last
    }
    return { blocks, isLast: this.#isEnded && this.#ready.length === 0 }
  }

  async #next(options: AbortOptions): Promise<ExportBlock | undefined> {
    while (this.#ready.length === 0 && !this.#isEnded) {
      const chunk = await this.scan.next(options)
      if (chunk === undefined) this.#end()
      else this.#push(chunk)
      this.#ready = [...this.#builder.take()]
    }
    return this.#ready.shift()
  }

  #push(chunk: Uint8Array): void {
    this.#builder.push(chunk)
    this.scan.recycle(chunk)
  }

  #end(): void {
    this.#builder.end()
    this.#isEnded = true
  }
}
