import type { ExportSection, ExportView } from '../../dialect/export-source.ts'
import { TidemarkError } from '../../errors/tidemark-error.ts'
import type { StreamCursor } from '../export-state.ts'
import type { PageMeter } from './page-meter.ts'
import type { Piece, PieceReader } from './piece.ts'

const STATEMENTS_PER_PAGE = 256

export interface SqlPiecesOptions {
  readonly view: ExportView
  /** The section behind the stream's last. */
  readonly to: number
  readonly cursor: StreamCursor
  readonly meter: PageMeter
}

/** Definitions as the plan has them, rows as the engine renders them. */
export class SqlPieces implements PieceReader {
  readonly #options: SqlPiecesOptions
  readonly #encoder = new TextEncoder()
  #cursor: StreamCursor

  constructor(options: SqlPiecesOptions) {
    this.#options = options
    this.#cursor = options.cursor
  }

  async next(signal: AbortSignal): Promise<readonly Piece[] | undefined> {
    const { view, to } = this.#options
    const section = this.#cursor.section < to ? view.plan.sections[this.#cursor.section] : undefined
    if (section === undefined) return undefined
    const pieces = section.kind === 'rows' ? await this.#rows(section.table, signal) : this.#statements(section)
    this.#cursor = pieces.next
    return pieces.pieces
  }

  #statements({ statements }: Extract<ExportSection, { readonly kind: 'statements' }>): Page {
    const { section, after } = this.#cursor
    const from = Number(after ?? 0)
    const taken = statements.slice(from, from + STATEMENTS_PER_PAGE)
    const isLast = from + taken.length >= statements.length
    const pieces = taken.map((statement, index) => ({
      bytes: this.#encoder.encode(`${statement}\n`),
      rows: 0,
      table: undefined,
      cursor: isLast && index === taken.length - 1 ? { section: section + 1 } : { section, after: String(from + index + 1) },
    }))
    return { pieces, next: pieces.at(-1)?.cursor ?? { section: section + 1 } }
  }

  async #rows(table: number, signal: AbortSignal): Promise<Page> {
    const { view, meter } = this.#options
    const { section, after } = this.#cursor
    if (view.readBlocks === undefined) throw new TidemarkError('NOT_SUPPORTED', 'This source renders no SQL.')
    const request = { table, after, bytes: meter.bytes, signal }
    const page = await meter.read(() => view.readBlocks?.(request) ?? Promise.reject(new TypeError('readBlocks went away.')), signal)
    const pieces = page.blocks.map(({ bytes, rows, last, continues }) => ({ bytes, rows, table, cursor: { section, after: last }, continues }))
    if (!page.isLast) return { pieces, next: pieces.at(-1)?.cursor ?? this.#cursor }
    return { pieces, next: { section: section + 1 } }
  }
}

interface Page {
  readonly pieces: readonly Piece[]
  readonly next: StreamCursor
}
