const FOOT = new TextEncoder().encode('\\.\n')
/** The row that fills a block goes over its size. */
const GROW_BYTES = 8_192

/**
 * A block while it is being filled: head, rows, and the line that ends them. Its memory is used again once the next page is asked for: a gigabyte of buffers
 * that nobody needs any more would have the collector go through the whole heap every few megabytes.
 */
export class BlockBuffer {
  readonly #head: Uint8Array
  readonly #blockBytes: number
  readonly #free: Uint8Array[] = []
  readonly #given: Uint8Array[] = []
  #bytes: Uint8Array
  #length: number
  /** Whole rows in it. */
  rows = 0

  constructor(head: string, blockBytes: number) {
    this.#head = new TextEncoder().encode(head)
    this.#blockBytes = blockBytes
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
    this.#free.push(...this.#given.splice(0))
  }

  /** The block, which stays as it is until `recycle`; another begins. */
  take(): Uint8Array {
    this.#bytes.set(FOOT, this.#length)
    const block = this.#bytes.subarray(0, this.#length + FOOT.length)
    // One that had to grow would keep its size for good.
    if (this.#bytes.length === this.#blockBytes + GROW_BYTES) this.#given.push(this.#bytes)
    this.#bytes = this.#fresh()
    this.#length = this.#head.length
    this.rows = 0
    return block
  }

  #fresh(): Uint8Array {
    // Not zeroed: every byte that is given away was written.
    const bytes = this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#blockBytes + GROW_BYTES)
    bytes.set(this.#head)
    return bytes
  }

  #grow(bytes: number): void {
    const larger = new Uint8Array(Math.max(bytes, this.#bytes.length * 2))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}
