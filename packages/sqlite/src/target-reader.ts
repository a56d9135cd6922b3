import type { AbortOptions, ColumnSchema, FindTargetRowsRequest, ReadTargetRowsRequest, RowValues, TargetTable, Value } from '@tidemark/core/adapter'
import type { SqliteValue } from './driver.ts'
import { keyListSql, keyLists } from './key-list.ts'
import { textReading } from './export/text-reading.ts'
import { liveOnly } from './live-only.ts'
import { narrowInteger } from './narrow-integer.ts'
import { quote, quoteAll } from './quote.ts'
import { compileCell, strictDecoder, type CellCodec, type TextForm, type TextReading } from './source/cell-codec.ts'
import { toSqliteValue } from './upsert.ts'

/** `tagged`: the host has doubles only, so that numbers come as marked texts. */
export type TargetTextForm = TextForm | 'tagged'

/** What reads one column back. */
type TargetCell = Pick<CellCodec, 'expressions' | 'readExact'>

export interface TargetReaderOptions {
  readonly query: (sql: string, parameters: readonly SqliteValue[], options: AbortOptions) => Promise<readonly RowValues[]>
  readonly textForm: TargetTextForm
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
    const compile = await this.#compiler(request)
    const cells = request.columns.map((name) => compile(columnOf(request.table, name)))
    // Numbered aliases: a column may have any name, and some drivers give rows as objects.
    const expressions = cells.flatMap((cell) => cell.expressions).map((expression, index) => `${expression} AS c${index}`)
    const sql = `SELECT ${expressions.join(', ')} FROM ${quote(request.table.name)} AS s ${statement.rest}`
    const rows = await this.#options.query(sql, statement.parameters, request)
    return rows.map((row) => readCells(cells, row))
  }

  async #compiler(options: AbortOptions): Promise<(column: ColumnSchema) => TargetCell> {
    const { textForm } = this.#options
    if (textForm === 'tagged') return taggedCell
    const text = await this.#reading(textForm, options)
    return (column) => compileCell(column, text)
  }

  /** The encoding of a database never changes, so it is asked for once, and only where bytes are read. */
  async #reading(form: TextForm, options: AbortOptions): Promise<TextReading> {
    const { query } = this.#options
    if (form === 'string') return { form, decoder: () => undefined }
    this.#text ??= { form, decoder: strictDecoder(String((await query('PRAGMA encoding', [], options))[0]?.[0])) }
    return this.#text
  }
}

const TAGGED = textReading('tagged', 'utf-8')

/** Only a column without affinity can hold both 1 and 1.0: there an integer stays a `bigint`. */
function taggedCell(column: ColumnSchema): TargetCell {
  const narrow = (value: Value): Value => (typeof value === 'bigint' && column.storage !== 'blob' ? narrowInteger(value) : value)
  return { expressions: [TAGGED.value(`s.${quote(column.name)}`)], readExact: (row, at) => narrow(TAGGED.read(row[at] ?? null)) }
}

function columnOf(table: TargetTable, name: string): TargetTable['columns'][number] {
  const column = table.columns.find((candidate) => candidate.name === name)
  if (column === undefined) throw new TypeError(`The table ${table.name} has no column ${name}.`)
  return column
}

function readCells(cells: readonly TargetCell[], row: RowValues): RowValues {
  let at = 0
  return cells.map((cell) => {
    const value = cell.readExact(row, at)
    at += cell.expressions.length
    return value
  })
}
