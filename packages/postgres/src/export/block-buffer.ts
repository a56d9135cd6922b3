import { MemoryPool } from '@tidemark/core/adapter'

const FOOT = new TextEncoder().encode('\\.\n')
/** The row that fills a block goes over its size, with as much room as a block has where that is less. */
const GROW_BYTES = 8_192
/** A page of the exporter has half of it at most, and a block is half of its memory at least. */
const MAX_FREE_BYTES = 1 << 23

/**
 * A block while it is being filled: head, rows, and the line that ends them. Its memory is used again once the next page is asked for: a gigabyte of buffers
 * that nobody needs any more would have the collector go through the whole heap every few megabytes.
 */
export class BlockBuffer {
  readonly #head: Uint8Array
  readonly #blockBytes: number
  readonly #memory: MemoryPool
  readonly #given: Uint8Array[] = []
  #bytes: Uint8Array
  #length: number
  /** Whole rows in it. */
  rows = 0

  constructor(head: string, blockBytes: number) {
    this.#head = new TextEncoder().encode(head)
    this.#blockBytes = blockBytes
    this.#memory = new MemoryPool({ size: Math.max(blockBytes, this.#head.length) + Math.min(blockBytes, GROW_BYTES), maxFreeBytes: MAX_FREE_BYTES })
    this.#bytes = this.#fresh()
    this.#length = this.#head.length
  }

  /** Whether so many more bytes fill it. */
  isFullWith(bytes: number): boolean {
    return this.#length + bytes + FOOT.length >= this.#blockBytes
  }

  add(source: Uint8Array, from: number, to: number): void {
    const end = this.#length + to - from
    if (end + FOOT.length > this.#bytes.length) this.#grow(end + FOOT.length)
    this.#bytes.set(source.subarray(from, to), this.#length)
    this.#length = end
  }

  /** The blocks that were taken are not needed any more. */
  recycle(): void {
    for (const bytes of this.#given.splice(0)) this.#memory.recycle(bytes)
  }

  /** The block, which stays as it is until `recycle`; another begins. */
  take(): Uint8Array {
    this.#bytes.set(FOOT, this.#length)
    const block = this.#bytes.subarray(0, this.#length + FOOT.length)
    this.#given.push(block)
    this.#bytes = this.#fresh()
    this.#length = this.#head.length
    this.rows = 0
    return block
  }

  #fresh(): Uint8Array {
    const bytes = new Uint8Array(this.#memory.take())
    bytes.set(this.#head)
    return bytes
  }

  #grow(bytes: number): void {
    const larger = new Uint8Array(Math.max(bytes, this.#bytes.length * 2))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#memory.recycle(this.#bytes)
    this.#bytes = larger
  }
}
