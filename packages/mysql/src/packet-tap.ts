const PACKET_HEADER_BYTES = 4
/** A payload of this length goes on in the next packet. */
const MAX_PAYLOAD_BYTES = 0xff_ff_ff
const EOF_MARKER = 0xfe
const ERROR_MARKER = 0xff
/** An EOF packet is shorter than this; a row that begins with an 8-byte length never is. */
const EOF_MAX_BYTES = 9

/** The part of a mysql2 connection that the tap stands between. */
export interface TappedConnection {
  packetParser: { execute(chunk: Buffer): unknown }
  sequenceId: number
}

type Phase = 'idle' | 'head' | 'rows' | 'tail'

/**
 * Takes the row packets of a text-protocol result out of mysql2's hands as the bytes the socket gave, headers
 * included, so that no object is made per row or per cell. Everything else (authentication, column definitions, EOF and
 * error packets) still goes through mysql2's own parser, whose query therefore sees a result without rows and ends as
 * usual. The hook is the connection's `packetParser` property, which its data handler looks up for every chunk.
 *
 * Packet layout: manual "MySQL Packets", "Text Resultset"; without CLIENT_DEPRECATE_EOF, which mysql2 does not offer.
 */
export class PacketTap {
  readonly #connection: TappedConnection
  readonly #parser: { execute(chunk: Buffer): unknown }
  #phase: Phase = 'idle'
  #receive: (chunk: Buffer) => void = () => {}
  /** Bytes of the current packet still to come. */
  #remaining = 0
  /** Whether the next packet continues a row rather than beginning one. */
  #continues = false
  #isFirst = true
  /** A header cut by the end of a chunk: a copy, for the chunk may be read into again. */
  #carry: Buffer | undefined

  constructor(connection: TappedConnection) {
    this.#connection = connection
    this.#parser = connection.packetParser
    connection.packetParser = { execute: (chunk) => this.#execute(chunk) }
  }

  /** The next result's row packets go to `receive`. Call before the query is sent; one query at a time. */
  begin(receive: (chunk: Buffer) => void): void {
    this.#phase = 'head'
    this.#receive = receive
    this.#isFirst = true
    this.#remaining = 0
    this.#continues = false
    this.#carry = undefined
  }

  #execute(bytes: Buffer): void {
    if (this.#phase === 'idle') {
      this.#parser.execute(bytes)
      return
    }
    const chunk = this.#carry === undefined ? bytes : Buffer.concat([this.#carry, bytes])
    this.#carry = undefined
    this.#scan(chunk)
  }

  /** Walks from header to header; `from` is where the bytes not yet handed on begin. */
  #scan(chunk: Buffer): void {
    let from = 0
    let position = Math.min(this.#remaining, chunk.length)
    this.#remaining -= position
    while (this.#remaining === 0) {
      if (this.#phase === 'tail') {
        this.#hand(chunk, from, position)
        this.#phase = 'idle'
        if (position < chunk.length) this.#parser.execute(chunk.subarray(position))
        return
      }
      const kind = this.#kindOf(chunk, position)
      if (kind === 'cut') {
        this.#hand(chunk, from, position)
        if (position < chunk.length) this.#carry = Buffer.from(chunk.subarray(position))
        return
      }
      if (kind === 'end' && this.#phase === 'rows') {
        this.#hand(chunk, from, position)
        from = position
        // mysql2 has not seen the rows between; it compares sequence numbers.
        this.#connection.sequenceId = chunk[position + 3] ?? 0
      }
      if (kind === 'end') this.#phase = 'tail'
      const length = chunk.readUIntLE(position, 3)
      const available = Math.min(length, chunk.length - position - PACKET_HEADER_BYTES)
      position += PACKET_HEADER_BYTES + available
      this.#remaining = length - available
      this.#isFirst = false
      this.#continues = length === MAX_PAYLOAD_BYTES
      if (kind === 'head-end') {
        this.#hand(chunk, from, position)
        from = position
        this.#phase = 'rows'
      }
    }
    this.#hand(chunk, from, position)
  }

  /** What the packet at `position` is; `cut`: too little of it is here to tell. */
  #kindOf(chunk: Buffer, position: number): 'cut' | 'payload' | 'head-end' | 'end' {
    const present = chunk.length - position - PACKET_HEADER_BYTES
    // The rest of a long row has no marker, and may be empty.
    if (this.#continues) return present < 0 ? 'cut' : 'payload'
    if (present < 1) return 'cut'
    const length = chunk.readUIntLE(position, 3)
    const marker = chunk[position + PACKET_HEADER_BYTES]
    if (marker === ERROR_MARKER) return 'end'
    if (marker === EOF_MARKER && length < EOF_MAX_BYTES) {
      // A control packet is waited for whole, so that the phase changes at its end and not within.
      if (present < length) return 'cut'
      return this.#phase === 'rows' ? 'end' : 'head-end'
    }
    // An OK packet instead of a result.
    return this.#isFirst && marker === 0 ? 'end' : 'payload'
  }

  #hand(chunk: Buffer, from: number, to: number): void {
    if (to <= from) return
    const part = from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to)
    if (this.#phase === 'rows') this.#receive(part)
    else this.#parser.execute(part)
  }
}
