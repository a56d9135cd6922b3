import { TidemarkError } from '@tidemark/core/adapter'

/** A text of the database whose bytes are no UTF-8. What becomes of it is the reader's policy. */
export class BrokenText {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

/** A value in a changeset; `undefined` where the record leaves it out. */
export type Cell = null | number | bigint | string | Uint8Array | BrokenText | undefined

const UNDEFINED = 0
const INTEGER = 1
const REAL = 2
const TEXT = 3
const BLOB = 4
const NULL = 5

const TWO_TO_32 = 4_294_967_296
/** The upper halves of integers that a double holds exactly lie between minus this and this. */
const SAFE_HIGH = 2_097_152
const LONGEST_VARINT = 9

/** One for all: making one takes longer than a row. */
const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads the primitives of a changeset front to back. Every read checks its bounds. */
export class ChangesetBytes {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  byte(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw corrupt('ends within a record')
    this.#at += 1
    return byte
  }

  peek(): number | undefined {
    return this.#bytes[this.#at]
  }

  take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw corrupt('ends within a value')
    const start = this.#at
    this.#at += length
    return this.#bytes.subarray(start, this.#at)
  }

  /** SQLite's variable-length integer: seven bits a byte, highest first. Lengths beyond 2^53 can only be damage. */
  varint(): number {
    let value = 0
    for (let count = 1; count < LONGEST_VARINT; count += 1) {
      const byte = this.byte()
      value = value * 128 + (byte & 0x7f)
      if (byte < 0x80) return value
      if (value > Number.MAX_SAFE_INTEGER / 128) break
    }
    throw corrupt('has a length that no record has')
  }

  /** Up to the next NUL. */
  name(): string {
    const end = this.#bytes.indexOf(0, this.#at)
    if (end === -1) throw corrupt('ends within a name')
    const bytes = this.take(end - this.#at)
    this.#at += 1
    const name = this.#text(bytes)
    if (typeof name !== 'string') throw corrupt('has a name that is no text')
    return name
  }

  /** `isWide`: integers of any size as `bigint`, for columns where 1 and 1.0 differ. */
  cell(isWide: boolean): Cell {
    const type = this.byte()
    switch (type) {
      case UNDEFINED: return undefined
      case INTEGER: return this.#integer(isWide)
      case REAL: return this.#real()
      case TEXT: return this.#text(this.take(this.varint()))
      // A copy: a view would keep the whole changeset in memory.
      case BLOB: return this.take(this.varint()).slice()
      case NULL: return null
      default: throw corrupt('has a value of an unknown type')
    }
  }

  /** Passes a value over, checked but not made. */
  skipCell(): void {
    const type = this.byte()
    if (type === INTEGER || type === REAL) this.take(8)
    else if (type === TEXT || type === BLOB) this.take(this.varint())
    else if (type !== UNDEFINED && type !== NULL) throw corrupt('has a value of an unknown type')
  }

  #integer(isWide: boolean): number | bigint {
    const at = this.#at
    this.take(8)
    const high = this.#view.getInt32(at)
    if (isWide || high >= SAFE_HIGH || high < -SAFE_HIGH) return this.#view.getBigInt64(at)
    const value = high * TWO_TO_32 + this.#view.getUint32(at + 4)
    return Number.isSafeInteger(value) ? value : this.#view.getBigInt64(at)
  }

  #real(): number {
    const at = this.#at
    this.take(8)
    const value = this.#view.getFloat64(at)
    if (Number.isNaN(value)) throw corrupt('has a real that is no number')
    return value
  }

  #text(bytes: Uint8Array): string | BrokenText {
    try {
      return DECODER.decode(bytes)
    } catch {
      return new BrokenText(bytes.slice())
    }
  }
}

/** Says where the format broke, never what the bytes were. */
export function corrupt(fault: string): TidemarkError {
  return new TidemarkError('SOURCE_CORRUPT_RESULT', `A changeset ${fault}.`, { detail: 'changeset' })
}
