import type { BlockPage, RowValues } from '@tidemark/core/adapter'
import { parseCursor, printCursor } from '../block-cursor.ts'
import { GROUP_ROWS, type BlockReader, type GroupsPage } from '../block-reader.ts'
import type { ExportedTable } from '../exported-table.ts'
import { rowQuery } from '../row-query.ts'
import type { BlockRenderer } from './block-renderer.ts'

export interface BlocksAheadOptions {
  /** Index of the table among those that the renderers know. */
  readonly index: number
  readonly table: ExportedTable
  readonly reader: BlockReader
  readonly query: (sql: string) => Promise<readonly RowValues[]>
  /** Begun when the table proves large; none is fine. */
  readonly renderers: () => Promise<readonly BlockRenderer[]>
}

/** What one renderer is asked for at a time. Less would be all messages, more would wait in memory. */
const RANGE_BYTES = 1_048_576
/** What it may give at most, where some rows are far wider than those before. */
const MAX_RANGE_BYTES = 4 * RANGE_BYTES
/** Such rows take so long to copy that rendering them elsewhere gains nothing. */
const MAX_ROW_BYTES = RANGE_BYTES / GROUP_ROWS * 4
const RANGES_PER_RENDERER = 2

interface Range {
  readonly after: string
  /** Number of its last row, counted from the table's first. */
  readonly toRow: number
  readonly page: Promise<GroupsPage | undefined>
}

/**
 * The blocks of one large table, rendered on other threads ahead of who reads them. They are those that a {@link BlockReader} gives: it renders the first
 * rows, tells how wide they are, and takes over wherever a renderer stopped.
 */
export class BlocksAhead {
  readonly #options: BlocksAheadOptions
  readonly #ranges: Range[] = []
  /** Where the range behind the last begins; `undefined` behind the table's end. */
  #next: { readonly key: string; readonly row: number } | undefined
  #rangeRows = 0
  /** Up to which row this thread renders, before the ranges have their turn. */
  #ownTo = GROUP_ROWS
  #expected: string | undefined
  #isBegun = false
  #turn = 0

  constructor(options: BlocksAheadOptions) {
    this.#options = options
  }

  /** Errors: as the reader's. */
  async read(after: string | undefined, bytes: number): Promise<BlockPage> {
    if (!this.#isBegun || after !== this.#expected) this.#begin(after)
    const page = await this.#page(after, bytes)
    this.#expected = page.blocks.at(-1)?.last ?? after
    return page
  }

  async #page(after: string | undefined, bytes: number): Promise<BlockPage> {
    const range = await this.#range(after)
    if (range === undefined) return this.#own(after, bytes)
    const page = await range.page
    this.#ranges.shift()
    const isWhole = page !== undefined && (page.isLast || page.row === range.toRow)
    // What is missing of it is rendered here, while the others go on.
    if (!isWhole) this.#ownTo = range.toRow
    return page ?? this.#own(after, bytes)
  }

  /** The range that begins there, unless those rows are this thread's. */
  async #range(after: string | undefined): Promise<Range | undefined> {
    const { key, piece, rows } = parseCursor(after)
    if (piece > 0 || rows < this.#ownTo || key === undefined) return undefined
    if (this.#ranges[0]?.after !== after) {
      this.#ranges.length = 0
      this.#next = { key, row: rows }
    }
    if (this.#rangeRows > 0) await this.#plan()
    if (this.#ranges.length === 0) this.#ownTo = rows + GROUP_ROWS
    return this.#ranges[0]
  }

  /** To skip over rows costs a thirtieth of rendering them. */
  async #plan(): Promise<void> {
    const { index, table, query, renderers: open } = this.#options
    const renderers = await open()
    while (this.#next !== undefined && this.#ranges.length < renderers.length * RANGES_PER_RENDERER) {
      const after = printCursor({ ...this.#next, piece: 0, rows: this.#next.row })
      const [[lastKey] = []] = await query(rowQuery(table, { select: [], after: this.#next.key, limit: 1, offset: this.#rangeRows - 1 }))
      const toRow = lastKey === undefined ? Number.MAX_SAFE_INTEGER : this.#next.row + this.#rangeRows
      const renderer = renderers[this.#turn % renderers.length]
      this.#turn += 1
      this.#ranges.push({ after, toRow, page: renderer?.render({ table: index, after, toRow, bytes: MAX_RANGE_BYTES }).catch(() => undefined) ?? Promise.resolve(undefined) })
      this.#next = lastKey === undefined ? undefined : { key: String(lastKey), row: toRow }
    }
  }

  async #own(after: string | undefined, bytes: number): Promise<BlockPage> {
    const page = await this.#options.reader.read({ after, bytes, toRow: this.#ownTo })
    if (page.row === this.#ownTo) this.#measure(page)
    return page
  }

  #measure({ blocks }: GroupsPage): void {
    const rows = blocks.reduce((sum, block) => sum + block.rows, 0)
    const rowBytes = blocks.reduce((sum, { bytes }) => sum + bytes.length, 0) / Math.max(1, rows)
    this.#rangeRows = rowBytes > MAX_ROW_BYTES ? 0 : Math.max(1, Math.floor(RANGE_BYTES / Math.max(1, rowBytes) / GROUP_ROWS)) * GROUP_ROWS
  }

  #begin(after: string | undefined): void {
    this.#ranges.length = 0
    this.#next = undefined
    this.#ownTo = (Math.floor(parseCursor(after).rows / GROUP_ROWS) + 1) * GROUP_ROWS
    this.#isBegun = true
  }
}
