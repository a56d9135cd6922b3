const GROW_BYTES = 4_096

/** A multi-row INSERT while it is being filled. Rows are encoded once, straight to where they stand. */
export class StatementBuffer {
  readonly #prefix: Uint8Array
  readonly #maxBytes: number
  readonly #encoder = new TextEncoder()
  #buffer: Uint8Array
  #length: number
  #rows = 0

  constructor(prefix: string, maxBytes: number) {
    this.#prefix = this.#encoder.encode(prefix)
    this.#maxBytes = maxBytes
    this.#buffer = this.#begin()
    this.#length = this.#prefix.length
  }

  get rows(): number {
    return this.#rows
  }

  /** Adds `(literals)`, unless the statement would grow too long. Nothing is changed then. */
  add(literals: string): boolean {
    const start = this.#length
    let at = start
    if (this.#rows > 0) at = this.#put(at, ',\n')
    at = this.#put(at, '(')
    at = this.#putText(at, literals)
    // `)` and `;` and a line break are still to come.
    if (at < 0 || at + 3 > this.#maxBytes) return false
    this.#length = this.#put(at, ')')
    this.#rows += 1
    return true
  }

  /** The statement, which is the caller's; another begins. */
  take(): Uint8Array {
    const end = this.#put(this.#length, ';\n')
    const statement = this.#buffer.subarray(0, end)
    this.clear()
    return statement
  }

  clear(): void {
    this.#buffer = this.#begin()
    this.#length = this.#prefix.length
    this.#rows = 0
  }

  #begin(): Uint8Array {
    const buffer = new Uint8Array(Math.max(this.#maxBytes, this.#prefix.length) + GROW_BYTES)
    buffer.set(this.#prefix)
    return buffer
  }

  #put(at: number, text: string): number {
    for (let index = 0; index < text.length; index += 1) this.#buffer[at + index] = text.charCodeAt(index)
    return at + text.length
  }

  #putText(at: number, text: string): number {
    if (text.length > this.#maxBytes) return -1
    const { read, written } = this.#encoder.encodeInto(text, this.#buffer.subarray(at))
    return read === text.length ? at + written : -1
  }
}
