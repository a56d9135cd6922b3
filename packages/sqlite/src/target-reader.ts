import type { AbortOptions, FindTargetRowsRequest, ReadTargetRowsRequest, RowValues, TargetTable } from '@tidemark/core/adapter'
import type { SqliteValue } from './driver.ts'
import { keyListSql, keyLists } from './key-list.ts'
import { liveOnly } from './live-only.ts'
import { quote, quoteAll } from './quote.ts'
import { compileCell, strictDecoder, type CellCodec, type TextForm, type TextReading } from './source/cell-codec.ts'
import { toSqliteValue } from './upsert.ts'

export interface TargetReaderOptions {
  readonly query: (sql: string, parameters: readonly SqliteValue[], options: AbortOptions) => Promise<readonly RowValues[]>
  readonly textForm: TextForm
  readonly maxParameters: number
}

/**
 * Reads copied rows back as they are stored. The sweep for deleted rows goes by the keys it is given here: one that a
 * driver has cut at a NUL would be looked up at the source as another.
 */
export class TargetReader {
  readonly #options: TargetReaderOptions
  #text: TextReading | undefined

  constructor(options: TargetReaderOptions) {
    this.#options = options
  }

  readRows(request: ReadTargetRowsRequest): Promise<readonly RowValues[]> {
    const { table, after, limit } = request
    const where = after === undefined ? '' : `WHERE (${quoteAll(table.key)}) > (${table.key.map(() => '?').join(', ')})`
    const live = liveOnly(table, where === '' ? 'WHERE' : 'AND')
    const rest = `${where} ${live} ORDER BY ${quoteAll(table.key)} LIMIT ?`
    return this.#select(request, { rest, parameters: [...(after ?? []).map(toSqliteValue), limit] })
  }

  async findRows(request: FindTargetRowsRequest): Promise<readonly RowValues[]> {
    const { table, keys } = request
    const found: RowValues[] = []
    for (const list of keyLists(keys, table.key.length, this.#options.maxParameters)) {
      const rest = `WHERE ${keyListSql(table.key, list.length)} ${liveOnly(table, 'AND')}`
      found.push(...await this.#select(request, { rest, parameters: list.flat().map(toSqliteValue) }))
    }
    return found
  }

  async #select(
    request: AbortOptions & { readonly table: TargetTable; readonly columns: readonly string[] },
    statement: { readonly rest: string; readonly parameters: readonly SqliteValue[] },
  ): Promise<readonly RowValues[]> {
    const text = await this.#reading(request)
    const cells = request.columns.map((name) => compileCell(columnOf(request.table, name), text))
    // Numbered aliases: a column may have any name, and some drivers give rows as objects.
    const expressions = cells.flatMap((cell) => cell.expressions).map((expression, index) => `${expression} AS c${index}`)
    const sql = `SELECT ${expressions.join(', ')} FROM ${quote(request.table.name)} AS s ${statement.rest}`
    const rows = await this.#options.query(sql, statement.parameters, request)
    return rows.map((row) => readCells(cells, row))
  }

  /** The encoding of a database never changes, so it is asked for once, and only where bytes are read. */
  async #reading(options: AbortOptions): Promise<TextReading> {
    const { textForm: form, query } = this.#options
    if (form === 'string') return { form, decoder: () => undefined }
    this.#text ??= { form, decoder: strictDecoder(String((await query('PRAGMA encoding', [], options))[0]?.[0])) }
    return this.#text
  }
}

function columnOf(table: TargetTable, name: string): TargetTable['columns'][number] {
  const column = table.columns.find((candidate) => candidate.name === name)
  if (column === undefined) throw new TypeError(`The table ${table.name} has no column ${name}.`)
  return column
}

function readCells(cells: readonly CellCodec[], row: RowValues): RowValues {
  let at = 0
  return cells.map((cell) => {
    const value = cell.readExact(row, at)
    at += cell.expressions.length
    return value
  })
}
