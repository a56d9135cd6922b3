import type { BlockPage, ExportBlock, RowValues, RenderOptions } from '@tidemark/core/adapter'
import { quote } from '../quote.ts'
import { parseCursor, printCursor } from './block-cursor.ts'
import type { ExportedTable } from './exported-table.ts'
import { longRowStatements } from './long-row.ts'
import { columnLiteralsSql, insertColumns, rowBytesSql, rowLiteralsSql } from './row-literals-sql.ts'
import { oneRowQuery, rowQuery } from './row-query.ts'
import type { TextReading } from './text-reading.ts'
import { StatementBuffer } from './statement-buffer.ts'

export interface BlockReaderOptions {
  readonly table: ExportedTable
  readonly render: RenderOptions
  readonly query: (sql: string) => Promise<readonly RowValues[]>
  readonly reading: TextReading
}

const FIRST_PAGE_ROWS = 256
const MAX_PAGE_ROWS = 65_536
const REPLACEMENT = '\uFFFD'

/**
 * The rows of a table as INSERT statements. Where a statement ends follows from the rows alone: what a page has left over stays here for the next.
 */
export class BlockReader {
  readonly #options: BlockReaderOptions
  readonly #select: string
  readonly #statement: StatementBuffer
  /** Of the last row in the statement, or before it. */
  #key: string | undefined
  /** Where the caller stands when it goes on. */
  #expected: string | undefined
  #isBegun = false
  #rowsRead = 0
  #pageRows = FIRST_PAGE_ROWS

  constructor(options: BlockReaderOptions) {
    const { table, render } = options
    this.#options = options
    this.#select = options.reading.text(rowLiteralsSql(table, render.keepRowids))
    this.#statement = new StatementBuffer(`INSERT INTO ${quote(table.name)}(${insertColumns(table, render.keepRowids).join(',')}) VALUES\n`, render.maxStatementBytes)
  }

  /** Pages from `after` on. One that was not the last answer's end is begun anew, at the price of reading the rest of a statement again. */
  async read(after: string | undefined, bytes: number): Promise<BlockPage> {
    const isGoingOn = this.#isBegun && after === this.#expected
    if (!isGoingOn) this.#begin(after)
    const skip = isGoingOn ? 0 : parseCursor(after).piece
    const limit = Math.min(this.#pageRows, this.#rowsLeft())
    const rows = limit === 0 ? [] : await this.#options.query(rowQuery(this.#options.table, { select: [this.#select], after: this.#key, limit }))
    const blocks: ExportBlock[] = []
    let length = 0
    for (const [key, literals] of rows) {
      const text = this.#options.reading.decode(literals)
      length += text.length
      await this.#add(blocks, String(key), text, blocks.length === 0 ? skip : 0)
      this.#rowsRead += 1
    }
    const isLast = rows.length < limit || this.#rowsLeft() === 0
    if (isLast) this.#flush(blocks)
    this.#adapt(rows.length, length, bytes)
    this.#expected = blocks.at(-1)?.last ?? after
    return { blocks, isLast }
  }

  #begin(after: string | undefined): void {
    this.#statement.clear()
    const { key, rows } = parseCursor(after)
    this.#key = key
    this.#rowsRead = rows
    this.#expected = after
    this.#isBegun = true
  }

  async #add(blocks: ExportBlock[], key: string, text: string, skip: number): Promise<void> {
    // A text that is none came as something else, or had this character in it: its bytes say.
    const literals = text.includes(REPLACEMENT) ? await this.#bytesOf(key) : text
    if (!this.#statement.add(literals)) {
      this.#flush(blocks)
      if (!this.#statement.add(literals)) return this.#addLong(blocks, key, skip)
    }
    this.#key = key
  }

  #flush(blocks: ExportBlock[]): void {
    const { rows } = this.#statement
    if (rows > 0) blocks.push({ rows, last: printCursor({ key: this.#key, piece: 0, rows: this.#rowsRead }), bytes: this.#statement.take() })
  }

  async #addLong(blocks: ExportBlock[], key: string, skip: number): Promise<void> {
    const { table, render, query } = this.#options
    const [literals = []] = await query(oneRowQuery(table, { select: columnLiteralsSql(table, render.keepRowids), key }))
    const columns = insertColumns(table, render.keepRowids)
    const statements = longRowStatements(table, { columns, literals: literals.map(String), maxStatementBytes: render.maxStatementBytes })
    const encoder = new TextEncoder()
    for (const [index, statement] of statements.entries()) {
      if (index < skip) continue
      const isEnd = index === statements.length - 1
      blocks.push({ bytes: encoder.encode(statement), rows: isEnd ? 1 : 0, last: printCursor(isEnd ? { key, piece: 0, rows: this.#rowsRead + 1 } : { key: this.#key, piece: index + 1, rows: this.#rowsRead }) })
    }
    this.#key = key
  }

  async #bytesOf(key: string): Promise<string> {
    const { table, render, query } = this.#options
    const [[literals] = []] = await query(oneRowQuery(table, { select: [rowBytesSql(table, render.keepRowids)], key }))
    return String(literals)
  }

  #rowsLeft(): number {
    return Math.max(0, (this.#options.table.limit ?? Number.MAX_SAFE_INTEGER) - this.#rowsRead)
  }

  #adapt(rows: number, length: number, bytes: number): void {
    if (rows === 0) return
    const wanted = Math.ceil(bytes / Math.max(1, length / rows))
    this.#pageRows = Math.max(1, Math.min(MAX_PAGE_ROWS, wanted, this.#pageRows * 4))
  }
}
