/** Bytes that wait for more. Grows by doubling, so that what waits long is not copied for each piece that comes. */
export class HeldBytes {
  #buffer = new Uint8Array(0)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** What is held and `bytes` behind it; `bytes` itself where nothing is held. Valid until the next call. */
  with(bytes: Uint8Array): Uint8Array {
    if (this.#length === 0) return bytes
    this.#reserve(this.#length + bytes.length)
    this.#buffer.set(bytes, this.#length)
    return this.#buffer.subarray(0, this.#length + bytes.length)
  }

  /** Holds what begins at `start` of what `with` has given. */
  keep(text: Uint8Array, start: number): void {
    const isOwn = text.buffer === this.#buffer.buffer
    this.#length = text.length - start
    if (isOwn) return void this.#buffer.copyWithin(0, start, text.length)
    this.#reserve(this.#length)
    this.#buffer.set(text.subarray(start))
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#buffer.length) return
    const larger = new Uint8Array(Math.max(bytes, this.#buffer.length * 2))
    larger.set(this.#buffer)
    this.#buffer = larger
  }
}
