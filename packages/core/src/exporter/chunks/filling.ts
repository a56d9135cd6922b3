import type { StreamCursor } from '../export-state.ts'
import type { Chunk } from './chunk.ts'
import type { PackMode } from './packed-chunks.ts'
import type { Piece } from './piece.ts'

const LINE_BREAK = 10

/** A chunk while it is being filled. */
export class Filling {
  #buffer: Uint8Array
  /** The chunk's size; what is larger has been grown for pieces that belong together. */
  readonly #size: number
  readonly #mode: PackMode
  readonly #rows: Record<number, number> = {}
  #rowCount = 0
  #length: number
  readonly #headerLength: number
  /** Whether the last piece needs the next one beside it. */
  #isOpen = false

  constructor(buffer: Uint8Array, mode: PackMode, header: Uint8Array) {
    this.#buffer = header.length > buffer.length ? new Uint8Array(header.length) : buffer
    this.#mode = mode
    this.#size = this.#buffer.length
    this.#buffer.set(header)
    this.#length = header.length
    this.#headerLength = header.length
  }

  get isEmpty(): boolean {
    return this.#length === 0
  }

  /** How many bytes of the piece are in now, of which `skip` were before; the same number when nothing fitted. */
  take(piece: Piece, skip: number): number {
    const rest = skip === 0 ? piece.bytes : piece.bytes.subarray(skip)
    const fitting = this.#mode === 'split' ? rest.subarray(0, this.#size - this.#length) : rest
    if (!this.#add(fitting)) return skip
    const taken = skip + fitting.length
    if (taken === piece.bytes.length) this.#count(piece)
    this.#isOpen = piece.continues === true
    return taken
  }

  /** Fills the rest with line breaks, which mean nothing between statements. */
  pad(): void {
    this.#buffer.fill(LINE_BREAK, this.#length)
    this.#length = this.#buffer.length
  }

  toChunk(cursor: StreamCursor, isLast: boolean): Chunk {
    return { bytes: this.#buffer.subarray(0, this.#length), rows: this.#rows, rowCount: this.#rowCount, cursor, isLast }
  }

  /** Where it fits, and also where it never would or belongs to the piece before: a chunk may then be larger, unless all have to be of one size. */
  #add(bytes: Uint8Array): boolean {
    const length = this.#length + bytes.length
    if (length > this.#size) {
      if (this.#mode !== 'cut' || (this.#length > this.#headerLength && !this.#isOpen)) return false
      if (length > this.#buffer.length) this.#grow(length)
    }
    this.#buffer.set(bytes, this.#length)
    this.#length = length
    return true
  }

  /** By half at least once there are several pieces, so that many cost no more than a few copies. */
  #grow(length: number): void {
    const buffer = new Uint8Array(this.#isOpen ? Math.max(length, Math.ceil(this.#buffer.length * 1.5)) : length)
    buffer.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = buffer
  }

  #count({ table, rows }: Piece): void {
    if (table === undefined) return
    this.#rows[table] = (this.#rows[table] ?? 0) + rows
    this.#rowCount += rows
  }
}
