import { undecodable } from './undecodable.ts'

/** Reads the parts of one message, never beyond its end. Errors: `LOG_UNDECODABLE`. */
export class MessageReader {
  #bytes: Buffer = Buffer.alloc(0)
  #end = 0
  at = 0

  /** Begins another message. The reader is used again: one a message would be one a row. */
  open(bytes: Buffer, from: number, to: number): void {
    this.#bytes = bytes
    this.at = from
    this.#end = to
  }

  get bytes(): Buffer {
    return this.#bytes
  }

  byte(): number {
    const at = this.skip(1)
    // In range: `skip` has looked.
    return this.#bytes[at] as number
  }

  int16(): number {
    return this.#bytes.readUInt16BE(this.skip(2))
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.skip(4))
  }

  oid(): number {
    return this.#bytes.readUInt32BE(this.skip(4))
  }

  lsn(): bigint {
    return this.#bytes.readBigUInt64BE(this.skip(8))
  }

  int64(): bigint {
    return this.#bytes.readBigInt64BE(this.skip(8))
  }

  /** Text that ends with a NUL. */
  text(): string {
    const end = this.#bytes.indexOf(0, this.at)
    if (end === -1 || end >= this.#end) throw undecodable('has a text without an end')
    const text = this.#bytes.toString('utf8', this.at, end)
    this.at = end + 1
    return text
  }

  /** Passes over as many bytes and gives where they begin. */
  skip(length: number): number {
    const at = this.at
    if (length < 0 || length > this.#end - at) throw undecodable('has a message that is cut short')
    this.at = at + length
    return at
  }

  /** The message must be over: what is left would be a part that this version does not know. */
  close(): void {
    if (this.at !== this.#end) throw undecodable('has a message that is longer than its parts')
  }
}
