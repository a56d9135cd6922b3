import { TidemarkError } from '../../errors/tidemark-error.ts'
import type { StreamCursor } from '../export-state.ts'
import type { Chunk, ChunkReader } from './chunk.ts'
import { Filling } from './filling.ts'
import type { Piece, PieceReader } from './piece.ts'

/**
 * How pieces become chunks.
 *
 * - `pad`: whole pieces, and line breaks up to the chunk's size, so that all parts of an upload but the last are of one size and each begins
 *   with a statement: nothing is carried from one slice to the next.
 * - `split`: pieces are cut where the chunk is full. The rest is made again when the stream is taken up, so the view must give the same bytes again.
 * - `cut`: whole pieces; chunks differ in size.
 */
export type PackMode = 'pad' | 'split' | 'cut'

export interface HeadedChunks {
  /** The stream's first. */
  readonly first: boolean
  readonly later: boolean
  /** The one of a stream without pieces, which is not there otherwise. */
  readonly empty: boolean
}

export interface PackedChunksOptions {
  readonly pieces: PieceReader
  readonly mode: PackMode
  readonly chunkBytes: number
  readonly header: Uint8Array
  /** Which chunks begin with the header. */
  readonly heads: HeadedChunks
  readonly cursor: StreamCursor
  /** The stream's first section, and the one behind its last. */
  readonly from: number
  readonly to: number
}

const NOTHING = new Uint8Array(0)

/** Pieces, packed into chunks of one size. Two buffers take turns: while one is written, the other is filled. */
export class PackedChunks implements ChunkReader {
  readonly #options: PackedChunksOptions
  readonly #buffers: [Uint8Array, Uint8Array] | [] = []
  #turn = 0
  #queue: Piece[] = []
  #at = 0
  /** Bytes of the next piece that are in the chunk before already. */
  #skip: number
  #cursor: StreamCursor
  #isEnded = false
  #isHeaderDue: boolean

  constructor(options: PackedChunksOptions) {
    this.#options = options
    const { cursor, from, heads } = options
    this.#skip = cursor.skip ?? 0
    this.#cursor = { section: cursor.section, after: cursor.after }
    const isAtStart = cursor.section === from && cursor.after === undefined && this.#skip === 0
    this.#isHeaderDue = isAtStart ? heads.first : heads.later
  }

  async next(signal: AbortSignal): Promise<Chunk | undefined> {
    const { heads } = this.#options
    if (await this.#peek(signal) === undefined && (this.#isEnded || !this.#isHeaderDue || !heads.empty)) return undefined
    const filling = new Filling(this.#buffer(), this.#options.mode, this.#isHeaderDue ? this.#options.header : NOTHING)
    this.#isHeaderDue = heads.later
    await this.#fill(filling, signal)
    this.#isEnded = await this.#peek(signal) === undefined
    if (filling.isEmpty && !this.#isEnded) {
      throw new TidemarkError('CONFIG_INVALID', 'A statement of the dump is larger than a part.', { issues: [{ path: 'partBytes', message: 'Must be larger than the longest statement.' }] })
    }
    return this.#finish(filling)
  }

  /** Takes pieces until one does not fit. */
  async #fill(filling: Filling, signal: AbortSignal): Promise<void> {
    for (let piece = await this.#peek(signal); piece !== undefined; piece = await this.#peek(signal)) {
      const taken = filling.take(piece, this.#skip)
      const isWhole = taken === piece.bytes.length
      if (isWhole) this.#pass(piece)
      else this.#skip = taken
      if (!isWhole) return
    }
  }

  #finish(filling: Filling): Chunk | undefined {
    const { mode, to } = this.#options
    if (this.#isEnded) return filling.isEmpty ? undefined : filling.toChunk({ section: to }, true)
    if (mode === 'pad') filling.pad()
    return filling.toChunk(this.#skip > 0 ? { ...this.#cursor, skip: this.#skip } : this.#cursor, false)
  }

  #pass(piece: Piece): void {
    this.#skip = 0
    this.#cursor = piece.cursor
    this.#at += 1
  }

  async #peek(signal: AbortSignal): Promise<Piece | undefined> {
    while (this.#at >= this.#queue.length) {
      const page = await this.#options.pieces.next(signal)
      if (page === undefined) return undefined
      this.#queue = [...page]
      this.#at = 0
    }
    return this.#queue[this.#at]
  }

  #buffer(): Uint8Array {
    this.#turn = 1 - this.#turn
    this.#buffers[this.#turn] ??= new Uint8Array(this.#options.chunkBytes)
    return this.#buffers[this.#turn] ?? new Uint8Array(0)
  }
}
