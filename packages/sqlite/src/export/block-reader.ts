import { TidemarkError, type BlockPage, type ExportBlock, type RenderOptions, type RowValues } from '@tidemark/core/adapter'
import { quote } from '../quote.ts'
import { parseCursor, printCursor } from './block-cursor.ts'
import type { ExportedTable } from './exported-table.ts'
import { longRowStatements } from './long-row.ts'
import { joinPieces, longBytesSql, maxLiteralBytes, piecesQuery } from './long-values.ts'
import { columnLiteralsSql, insertColumns, rowBytesSql, rowLiteralsSql } from './row-literals-sql.ts'
import { oneRowQuery, rowQuery } from './row-query.ts'
import type { TextReading } from './text-reading.ts'
import { StatementBuffer } from './statement-buffer.ts'

export interface BlockReaderOptions {
  readonly table: ExportedTable
  readonly render: RenderOptions
  readonly query: (sql: string) => Promise<readonly RowValues[]>
  readonly reading: TextReading
  /** Greatest length of a value that the host gives. Default: as good as none. */
  readonly maxValueBytes?: number | undefined
}

/** A statement also ends behind each row whose number is a multiple of this, so that rows from there on can be rendered without those before. */
export const GROUP_ROWS = 1_024

/** Few: rows of a megabyte are read by then, in a host of 128. */
const FIRST_PAGE_ROWS = 16
const MAX_PAGE_ROWS = 65_536
const REPLACEMENT = '\uFFFD'

export interface ReadGroupsRequest {
  readonly after?: string | undefined
  /** Stop once this many bytes have been read. */
  readonly bytes: number
  /** Stop behind the row of this number, counted from the table's first: a multiple of {@link GROUP_ROWS}. Absent: behind the last. */
  readonly toRow?: number | undefined
}

export interface GroupsPage extends BlockPage {
  /** Number of the last row that was read, which may be behind the last block. */
  readonly row: number
}

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
  /** Statements that the caller has already. */
  #skip = 0
  #rowsRead = 0
  #pageRows = FIRST_PAGE_ROWS

  constructor(options: BlockReaderOptions) {
    const { table, render } = options
    this.#options = options
    const longest = maxLiteralBytes(options.maxValueBytes, render.maxStatementBytes)
    const literals = options.reading.text(rowLiteralsSql(table, render.keepRowids))
    this.#select = longest === undefined ? literals : `CASE WHEN ${longBytesSql(table)} <= ${longest} THEN ${literals} END`
    this.#statement = new StatementBuffer(`INSERT INTO ${quote(table.name)}(${insertColumns(table, render.keepRowids).join(',')}) VALUES\n`, render.maxStatementBytes)
  }

  /**
   * Pages from `after` on. One that was not the last answer's end is begun anew, at the price of reading the rest of a statement again.
   *
   * Errors: `VALUE_UNREPRESENTABLE` for a row whose columns' names and short values alone are longer than a statement may be; as the driver's.
   */
  async read({ after, bytes, toRow = Number.MAX_SAFE_INTEGER }: ReadGroupsRequest): Promise<GroupsPage> {
    if (!this.#isBegun || after !== this.#expected) this.#begin(after)
    const limit = Math.min(this.#pageRows, this.#rowsLeft(), toRow - this.#rowsRead)
    const rows = limit === 0 ? [] : await this.#options.query(rowQuery(this.#options.table, { select: [this.#select], after: this.#key, limit }))
    const blocks: ExportBlock[] = []
    const length = await this.#addAll(blocks, rows)
    const isLast = rows.length < limit || this.#rowsLeft() === 0
    if (isLast) this.#flush(blocks)
    this.#adapt(rows.length, length, bytes)
    this.#expected = blocks.at(-1)?.last ?? after
    return { blocks, isLast, row: this.#rowsRead }
  }

  /** Gives the length of what was added. */
  async #addAll(blocks: ExportBlock[], rows: readonly RowValues[]): Promise<number> {
    let length = 0
    for (const [key, literals] of rows) {
      // `null`: longer than the host gives.
      const text = literals === null ? undefined : this.#options.reading.decode(literals)
      length += text?.length ?? this.#options.render.maxStatementBytes
      // A promise for each row would cost as much as the row.
      if (text === undefined || text.includes(REPLACEMENT) || !this.#statement.add(text)) await this.#addOtherwise(blocks, String(key), text)
      this.#key = String(key)
      this.#rowsRead += 1
      if (this.#rowsRead % GROUP_ROWS === 0) this.#flush(blocks)
    }
    return length
  }

  #begin(after: string | undefined): void {
    this.#statement.clear()
    const { key, piece, rows } = parseCursor(after)
    this.#key = key
    this.#skip = piece
    this.#rowsRead = rows
    this.#expected = after
    this.#isBegun = true
  }

  async #addOtherwise(blocks: ExportBlock[], key: string, text: string | undefined): Promise<void> {
    // A text that is none came as something else, or had this character in it: its bytes say.
    const literals = text?.includes(REPLACEMENT) === true ? await this.#bytesOf(key) : text
    if (literals !== undefined && this.#statement.add(literals)) return
    this.#flush(blocks)
    if (literals === undefined || !this.#statement.add(literals)) await this.#addLong(blocks, key)
  }

  #flush(blocks: ExportBlock[]): void {
    const { rows } = this.#statement
    if (rows > 0) this.#push(blocks, { rows, last: printCursor({ key: this.#key, piece: 0, rows: this.#rowsRead }), bytes: this.#statement.take() })
  }

  #push(blocks: ExportBlock[], block: ExportBlock): void {
    if (this.#skip > 0) this.#skip -= 1
    else blocks.push(block)
  }

  async #addLong(blocks: ExportBlock[], key: string): Promise<void> {
    const { table, render } = this.#options
    const literals = await this.#literalsOf(key)
    // Where it is read as it is now, it may be gone.
    if (literals === undefined) return
    const columns = insertColumns(table, render.keepRowids)
    const statements = longRowStatements(table, { columns, literals, maxStatementBytes: render.maxStatementBytes })
    const encoder = new TextEncoder()
    for (const [index, statement] of statements.entries()) {
      const bytes = encoder.encode(statement)
      if (bytes.length > render.maxStatementBytes) throw longerThanStatement()
      const isEnd = index === statements.length - 1
      this.#push(blocks, { bytes, rows: isEnd ? 1 : 0, last: printCursor(isEnd ? { key, piece: 0, rows: this.#rowsRead + 1 } : { key: this.#key, piece: index + 1, rows: this.#rowsRead }) })
    }
  }

  async #literalsOf(key: string): Promise<readonly string[] | undefined> {
    const { table, render: { keepRowids }, query, maxValueBytes } = this.#options
    if (maxValueBytes !== undefined) return joinPieces(await query(piecesQuery(table, { key, keepRowids, maxValueBytes })))
    const [literals] = await query(oneRowQuery(table, { select: columnLiteralsSql(table, keepRowids), key }))
    return literals?.map(String)
  }

  /** `undefined` for a row that is gone. */
  async #bytesOf(key: string): Promise<string | undefined> {
    const { table, render, query } = this.#options
    const [row] = await query(oneRowQuery(table, { select: [rowBytesSql(table, render.keepRowids)], key }))
    return row === undefined ? undefined : String(row[0])
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

function longerThanStatement(): TidemarkError {
  return new TidemarkError('VALUE_UNREPRESENTABLE', 'A row is longer than a statement may be.', { remedy: 'Raise `maxStatementBytes`.' })
}
