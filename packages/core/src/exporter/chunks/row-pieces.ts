import type { ExportView } from '../../dialect/export-source.ts'
import type { DumpFormat, RowEncoder } from '../../dump/dump-format.ts'
import type { ManifestTable } from '../../dump/manifest.ts'
import type { StreamCursor } from '../export-state.ts'
import type { PageMeter } from './page-meter.ts'
import type { Piece, PieceReader } from './piece.ts'

const MAX_PIECE_BYTES = 32_768
/** A chunk that is not cut within a piece comes this near to its size. */
const PIECES_PER_CHUNK = 4
const MAX_PAGE_ROWS = 10_000

export interface RowPiecesOptions {
  readonly view: ExportView
  readonly format: DumpFormat
  readonly table: ManifestTable
  /** Index of the table in the view's plan. */
  readonly index: number
  readonly chunkBytes: number
  readonly cursor: StreamCursor
  readonly meter: PageMeter
}

/** Rows of one table, encoded by a format that can be added to. */
export class RowPieces implements PieceReader {
  readonly #options: RowPiecesOptions
  readonly #encoder: RowEncoder
  /** A piece ends with the row that reaches this: where a page of the source ended decides nothing, so the same rows give the same pieces. */
  readonly #pieceBytes: number
  #cursor: StreamCursor
  #rows = 0
  #isEnded: boolean

  constructor(options: RowPiecesOptions) {
    this.#options = options
    this.#encoder = options.format.encoder(options.table)
    this.#pieceBytes = Math.min(MAX_PIECE_BYTES, Math.ceil(options.chunkBytes / PIECES_PER_CHUNK))
    this.#cursor = options.cursor
    this.#isEnded = false
  }

  async next(signal: AbortSignal): Promise<readonly Piece[] | undefined> {
    if (this.#isEnded) return undefined
    const { view, index, meter } = this.#options
    const limit = { rows: MAX_PAGE_ROWS, bytes: meter.bytes }
    const page = await meter.read(() => view.readRows({ table: index, after: this.#cursor.after, limit, signal }), signal)
    const pieces: Piece[] = []
    page.rows.forEach((row, at) => {
      this.#encoder.add(row)
      this.#rows += 1
      if (this.#encoder.size >= this.#pieceBytes) pieces.push(this.#take(page.cursorAfter(at)))
    })
    if (page.rows.length > 0) this.#cursor = { section: this.#cursor.section, after: page.cursorAfter(page.rows.length - 1) }
    this.#isEnded = page.isLast
    if (page.isLast && this.#encoder.size > 0) pieces.push(this.#take(this.#cursor.after))
    return pieces
  }

  #take(after: string | undefined): Piece {
    const { index, cursor } = this.#options
    const piece = { bytes: this.#encoder.take(), rows: this.#rows, table: index, cursor: { section: cursor.section, after } }
    this.#rows = 0
    return piece
  }
}
