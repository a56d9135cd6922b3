import { TidemarkError } from '@tidemark/core/adapter'
import { blockDigest } from './block-digest.ts'

/** Grows from one to the other; a message that is larger has a block of its own. */
const FIRST_BYTES = 16 * 1024
export const BLOCK_BYTES = 256 * 1024
/** Length and transaction, in front of a message. */
const HEADER_BYTES = 8
/** The number of a description, behind it. */
const ARRIVAL_BYTES = 6
const RELATION = 0x52

/** A message with the transaction, or the part of one, that it is of. */
export interface SpooledMessage {
  readonly xid: number
  /** A message is its kind and, somewhere else, the rest of it. */
  readonly kind: number
  readonly bytes: Buffer
  readonly from: number
  readonly to: number
  /** Of a message that describes a table. */
  readonly arrival: number
}

/** Messages behind each other, in memory or in a spool. */
export class SpoolBlock {
  #bytes: Buffer | undefined = Buffer.allocUnsafeSlow(FIRST_BYTES)
  #length = 0
  #digest = 0
  #xid: number | undefined
  #isOfOne = true
  /** Where it begins in the spool. */
  at = 0

  get length(): number {
    return this.#length
  }

  /** What it takes of memory. */
  get memoryBytes(): number {
    return this.#bytes?.length ?? 0
  }

  /** The one transaction whose messages it has, where nobody can need them if that is taken back. */
  get sole(): number | undefined {
    return this.#isOfOne ? this.#xid : undefined
  }

  /** Whether the message went into it. The first one always does. */
  add(message: SpooledMessage): boolean {
    const size = sizeOf(message)
    if (!this.#reserve(size)) return false
    const bytes = this.#bytes as Buffer // reserved
    const at = this.#length
    const rest = at + HEADER_BYTES + 1
    bytes.writeUInt32BE(1 + message.to - message.from, at)
    bytes.writeUInt32BE(message.xid, at + 4)
    bytes[at + HEADER_BYTES] = message.kind
    message.bytes.copy(bytes, rest, message.from, message.to)
    if (message.kind === RELATION) bytes.writeUIntBE(message.arrival, rest + message.to - message.from, ARRIVAL_BYTES)
    this.#isOfOne &&= message.kind !== RELATION && (this.#xid ?? message.xid) === message.xid
    this.#xid = message.xid
    this.#length += size
    return true
  }

  /** In memory, what there is to write. */
  get content(): Buffer | undefined {
    return this.#bytes?.subarray(0, this.#length)
  }

  /** It is in the spool from now on. */
  stored(at: number): void {
    if (this.#bytes === undefined) return
    this.#digest = blockDigest(this.#bytes, this.#length)
    this.#bytes = undefined
    this.at = at
  }

  /** Errors: `SPOOL_FAILED` for what is not as it was written. */
  restored(read: Uint8Array): Buffer {
    const bytes = Buffer.from(read.buffer, read.byteOffset, read.length)
    if (read.length !== this.#length || blockDigest(bytes, read.length) !== this.#digest) {
      throw new TidemarkError('SPOOL_FAILED', 'The spool gave back other bytes than were written to it.', { detail: 'corrupt' })
    }
    return bytes
  }

  #reserve(size: number): boolean {
    const needed = this.#length + size
    if (needed <= (this.#bytes?.length ?? 0)) return true
    if (this.#bytes === undefined || (this.#length > 0 && needed > BLOCK_BYTES)) return false
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(BLOCK_BYTES, this.#bytes.length * 2)))
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
    return true
  }
}

/** What the message at a place of a block is, and where the next one is. */
export function messageAt(bytes: Buffer, at: number): Omit<SpooledMessage, 'bytes'> & { readonly next: number } {
  const from = at + HEADER_BYTES
  const to = from + bytes.readUInt32BE(at)
  const kind = bytes[from] ?? 0
  const arrival = kind === RELATION ? bytes.readUIntBE(to, ARRIVAL_BYTES) : 0
  return { xid: bytes.readUInt32BE(at + 4), kind, from, to, arrival, next: kind === RELATION ? to + ARRIVAL_BYTES : to }
}

function sizeOf({ kind, from, to }: SpooledMessage): number {
  return HEADER_BYTES + 1 + to - from + (kind === RELATION ? ARRIVAL_BYTES : 0)
}
