import { TidemarkError, type ExportRowPage, type ReadExportRowsRequest, type RowValues } from '@tidemark/core/adapter'
import { quote } from '../quote.ts'
import { parseCursor, printCursor } from './block-cursor.ts'
import type { ExportedTable } from './exported-table.ts'
import { oneRowQuery, rowQuery } from './row-query.ts'
import type { TextReading } from './text-reading.ts'

export interface RowReaderOptions {
  readonly table: ExportedTable
  /** Integers as `bigint`, so that 1 and 1.0 are told apart. */
  readonly query: (sql: string) => Promise<readonly RowValues[]>
  readonly reading: TextReading
}

const REPLACEMENT = '\uFFFD'
/** Few: rows of a megabyte are read by then, in a host of 128. */
const FIRST_PAGE_ROWS = 16

/** The rows of a table as values. Integers are `bigint`, doubles are numbers. */
export class RowReader {
  readonly #options: RowReaderOptions
  #pageRows = FIRST_PAGE_ROWS

  constructor(options: RowReaderOptions) {
    this.#options = options
  }

  /** Errors: `VALUE_UNREPRESENTABLE` for a text that is no valid text; SQL has a way to write it. */
  async read({ after, limit }: ReadExportRowsRequest): Promise<ExportRowPage> {
    const { table, query, reading } = this.#options
    const { key, rows: before } = parseCursor(after)
    const count = Math.min(limit.rows, this.#pageRows, Math.max(0, (table.limit ?? Number.MAX_SAFE_INTEGER) - before))
    const select = table.columns.map(({ name }) => reading.value(quote(name)))
    const found = count === 0 ? [] : await query(rowQuery(table, { select, after: key, limit: count }))
    const keys = found.map(([rowKey]) => String(rowKey))
    const rows = found.map((row) => row.slice(1).map(reading.read))
    await this.#requireTexts(rows, keys)
    this.#adapt(rows, limit.bytes)
    return {
      rows,
      cursorAfter: (index) => printCursor({ key: keys[index], piece: 0, rows: before + index + 1 }),
      isLast: found.length < count || count === 0 || (table.limit !== undefined && before + found.length >= table.limit),
    }
  }

  /** What is no text comes out of a driver with replacement characters in it. Whether they were there is asked of the database. */
  async #requireTexts(rows: readonly RowValues[], keys: readonly string[]): Promise<void> {
    for (const [at, row] of rows.entries()) {
      for (const [index, value] of row.entries()) {
        if (typeof value === 'string' && value.includes(REPLACEMENT)) await this.#requireText(value, keys[at] ?? '', index)
      }
    }
  }

  async #requireText(value: string, key: string, index: number): Promise<void> {
    const { table, query } = this.#options
    const column = table.columns[index]?.name ?? ''
    // Of a valid text the bytes, converted to UTF-8 and back, are what they were; of another they are not.
    const text = `'${value.replaceAll("'", "''")}'`
    const [[isSame] = []] = await query(oneRowQuery(table, { select: [`CAST(${quote(column)} AS BLOB) = CAST(${text} AS BLOB)`], key }))
    if (Number(isSame) !== 1 && !value.includes('\0')) {
      throw new TidemarkError('VALUE_UNREPRESENTABLE', `The column '${column}' of '${table.name}' holds a text that is no valid text.`, { remedy: 'Export as SQL, which keeps its bytes.' })
    }
  }

  #adapt(rows: readonly RowValues[], bytes: number): void {
    if (rows.length === 0) return
    const length = rows.reduce((sum, row) => sum + row.reduce<number>((more, value) => more + widthOf(value), 0), 0)
    this.#pageRows = Math.max(1, Math.min(10_000, Math.ceil(bytes / Math.max(1, length / rows.length)), this.#pageRows * 4))
  }
}

function widthOf(value: RowValues[number]): number {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length + 2 : 8
}
