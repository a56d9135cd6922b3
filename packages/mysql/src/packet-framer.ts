const PACKET_HEADER_BYTES = 4
/** A payload of this length goes on in the next packet. */
const MAX_PAYLOAD_BYTES = 0xff_ff_ff

/**
 * Cuts a byte stream of packets into rows, wherever its chunks break. A row that lies whole in a chunk is handed on in
 * place; only one that is cut, or longer than a packet, is copied together.
 */
export class PacketFramer {
  readonly #onRow: (bytes: Buffer, start: number, end: number) => void
  readonly #header = Buffer.alloc(PACKET_HEADER_BYTES)
  #headerBytes = 0
  #partial: Buffer | undefined
  #filled = 0
  /** Earlier packets of a row of 16 MiB or more. */
  #parts: Buffer[] = []

  constructor(onRow: (bytes: Buffer, start: number, end: number) => void) {
    this.#onRow = onRow
  }

  /** Whether the stream may end here. */
  get isBetweenRows(): boolean {
    return this.#headerBytes === 0 && this.#partial === undefined && this.#parts.length === 0
  }

  push(chunk: Buffer): void {
    const end = chunk.length
    let position = this.#partial === undefined ? 0 : this.#fill(this.#partial, chunk, 0)
    while (position < end) {
      if (this.#headerBytes > 0 || end - position < PACKET_HEADER_BYTES) {
        this.#header[this.#headerBytes++] = chunk[position++] ?? 0
        if (this.#headerBytes < PACKET_HEADER_BYTES) continue
        this.#headerBytes = 0
        position = this.#body(chunk, position, this.#header.readUIntLE(0, 3))
      } else {
        const length = (chunk[position] ?? 0) | ((chunk[position + 1] ?? 0) << 8) | ((chunk[position + 2] ?? 0) << 16)
        position = this.#body(chunk, position + PACKET_HEADER_BYTES, length)
      }
    }
  }

  #body(chunk: Buffer, position: number, length: number): number {
    const end = position + length
    if (end <= chunk.length) {
      this.#packet(chunk, position, end)
      return end
    }
    this.#partial = Buffer.allocUnsafe(length)
    this.#filled = 0
    return this.#fill(this.#partial, chunk, position)
  }

  #fill(partial: Buffer, chunk: Buffer, position: number): number {
    const copied = chunk.copy(partial, this.#filled, position)
    this.#filled += copied
    if (this.#filled === partial.length) {
      this.#partial = undefined
      this.#packet(partial, 0, partial.length)
    }
    return position + copied
  }

  #packet(bytes: Buffer, start: number, end: number): void {
    const isCut = end - start === MAX_PAYLOAD_BYTES
    if (!isCut && this.#parts.length === 0) {
      this.#onRow(bytes, start, end)
      return
    }
    this.#parts.push(Buffer.from(bytes.subarray(start, end)))
    if (isCut) return
    const row = Buffer.concat(this.#parts)
    this.#parts = []
    this.#onRow(row, 0, row.length)
  }
}
