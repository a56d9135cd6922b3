const FIRST_BYTES = 65_536
/** UTF-8 takes at most this many bytes for a unit of UTF-16. */
const MAX_BYTES_PER_UNIT = 3

/** Texts, encoded as UTF-8 one behind the other. Each is encoded once, to where it stays. */
export class ByteWriter {
  readonly #encoder = new TextEncoder()
  #buffer = new Uint8Array(FIRST_BYTES)
  #length = 0

  get length(): number {
    return this.#length
  }

  write(text: string): void {
    const most = text.length * MAX_BYTES_PER_UNIT
    if (this.#length + most > this.#buffer.length) this.#grow(this.#length + most)
    this.#length += this.#encoder.encodeInto(text, this.#buffer.subarray(this.#length)).written
  }

  /** What was written since the last call; the caller's. */
  take(): Uint8Array {
    const bytes = this.#buffer.slice(0, this.#length)
    this.#length = 0
    return bytes
  }

  #grow(bytes: number): void {
    const larger = new Uint8Array(Math.max(bytes, this.#buffer.length * 2))
    larger.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = larger
  }
}
