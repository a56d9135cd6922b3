import type { ExportBlock, RenderOptions, RowValues } from '@tidemark/core/adapter'
import { quote } from '../../quote.ts'
import { printCursor } from '../block-cursor.ts'
import { GROUP_ROWS } from '../block-reader.ts'
import type { ExportedTable } from '../exported-table.ts'
import { insertColumns, rowLiteralsSql } from '../row-literals-sql.ts'
import { StatementCutter } from './statement-cutter.ts'

/** Behind which row a group begins. */
export interface GroupPlace {
  /** Literal of the row number. */
  readonly key: string
  /** How many rows of the table come before. */
  readonly row: number
}

export interface Group {
  readonly blocks: readonly ExportBlock[]
  readonly row: number
  readonly isLast: boolean
}

/** A query with a parameter is asked many times, with nothing else in between: its statement is worth keeping. One anew for each group takes a third longer. */
export type RenderQuery = (sql: string, ...parameters: readonly bigint[]) => Promise<readonly RowValues[]>

export interface GroupReaderOptions {
  readonly table: ExportedTable
  readonly render: RenderOptions
  readonly query: RenderQuery
}

/** A wider row is left out, so that a thousand of them never stand in one text. */
const MAX_ROW_CHARS = 16_384
const REPLACEMENT = '\uFFFD'

/**
 * A group of rows as one text, put together by SQLite: what crosses into JavaScript is a hundredth of a value a row. Between two rows is a NUL, which no literal
 * has in it. The order in which `group_concat` meets its rows is that of the inner query, whose LIMIT keeps it from being taken apart.
 */
export class GroupReader {
  readonly #options: GroupReaderOptions
  readonly #sql: string
  readonly #cutter: StatementCutter

  /** Whether the rows of the table are known by their number, which alone is the greatest of a group where it is the last. */
  static reads({ key: [term, ...more], source }: ExportedTable): boolean {
    return term !== undefined && term.column === undefined && more.length === 0 && source === undefined
  }

  constructor(options: GroupReaderOptions) {
    const { table, render } = options
    const key = table.key[0]?.expression ?? ''
    const row = `SELECT ${key} AS k, ${rowLiteralsSql(table, render.keepRowids)} AS t FROM main.${quote(table.name)}`
    this.#options = options
    this.#sql = `SELECT CAST(max(k) AS TEXT), count(*), group_concat(iif(octet_length(t) > ${MAX_ROW_CHARS}, NULL, t), ')' || char(0) || char(10) || '(') FROM (${row} WHERE ${key} > ? ORDER BY ${key} LIMIT ${GROUP_ROWS})`
    this.#cutter = new StatementCutter(`INSERT INTO ${quote(table.name)}(${insertColumns(table, render.keepRowids).join(',')}) VALUES\n(`, render.maxStatementBytes)
  }

  /** `undefined` where rows have to be looked at one by one: one is very long, or has a text that may be none. */
  async read({ key, row }: GroupPlace): Promise<Group | undefined> {
    const [[lastKey, count, text] = []] = await this.#options.query(this.#sql, BigInt(key))
    const rows = Number(count)
    if (rows === 0) return { blocks: [], row, isLast: true }
    if (typeof text !== 'string' || text.includes(REPLACEMENT)) return undefined
    const statements = this.#cutter.cut(text)
    if (statements.reduce((sum, statement) => sum + statement.rows, 0) !== rows) return undefined
    const end = { key: String(lastKey), piece: 0, rows: row + rows }
    const blocks = statements.map((statement, index) => ({ ...statement, last: printCursor(index === statements.length - 1 ? end : { key, piece: index + 1, rows: row }) }))
    return { blocks, row: end.rows, isLast: rows < GROUP_ROWS }
  }
}
