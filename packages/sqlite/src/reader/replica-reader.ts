import { TidemarkError, type RowValues, type Value } from '@tidemark/core/adapter'
import { readCatalogue, type CatalogueColumn } from '../catalogue.ts'
import type { SqliteDriver, SqliteValue } from '../driver.ts'
import { ledgerTables } from '../migrations.ts'
import { quote } from '../quote.ts'
import { strictDecoder, type StrictDecoder, type TextForm } from '../source/cell-codec.ts'
import { sourceValue } from './stored-value.ts'

/** One row by column name. Made without a prototype: a column may be called `__proto__`. */
export type ReplicaRow = Readonly<Record<string, Value>>

export interface ReadTableOptions {
  /** SQL after WHERE, with `?` for each of `parameters`. */
  readonly where?: string | undefined
  readonly parameters?: readonly SqliteValue[] | undefined
  /** Rows per query. Default 1,000. */
  readonly pageRows?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Reads copied tables back as what they were at the source: booleans as booleans, 64-bit integers as `bigint`, decimals and
 * times as their exact text. Plain SQL on the file gives the stored forms instead; both are fine.
 */
export class ReplicaReader implements AsyncDisposable {
  readonly #driver: SqliteDriver
  readonly #tablePrefix: string
  readonly #textForm: TextForm
  #decoder: StrictDecoder | undefined

  constructor(driver: SqliteDriver, options: { readonly tablePrefix?: string | undefined; readonly textForm?: TextForm | undefined } = {}) {
    this.#driver = driver
    this.#tablePrefix = options.tablePrefix ?? 'tidemark_'
    this.#textForm = options.textForm ?? 'string'
  }

  /** The table's columns with their types at the source. Errors: `TABLE_UNKNOWN` for what Tidemark has not copied. */
  async columns(table: string): Promise<readonly CatalogueColumn[]> {
    const columns = await readCatalogue(this.#driver, ledgerTables(this.#tablePrefix), table)
    if (columns.length === 0) throw new TidemarkError('TABLE_UNKNOWN', `"${table}" is not a table that Tidemark has copied.`)
    return columns
  }

  /** All rows, or those of `where`, in rowid order and page by page: memory does not grow with the table. */
  async* rows(table: string, options: ReadTableOptions = {}): AsyncGenerator<ReplicaRow> {
    const columns = await this.columns(table)
    const limit = options.pageRows ?? 1_000
    let after: Value = null
    for (;;) {
      if (options.signal?.aborted === true) throw new TidemarkError('ABORTED', 'The read was aborted.')
      const page: readonly RowValues[] = await this.#page(table, { columns, after, limit, options })
      for (const [, ...cells] of page) yield toRow(columns, await this.#stored(cells))
      if (page.length < limit) return
      after = page.at(-1)?.[0] ?? null
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#driver[Symbol.asyncDispose]()
  }

  /** Of a driver whose strings end at a NUL, a text comes as bytes, behind its class. */
  #expressions(name: string): string {
    return this.#textForm === 'string' ? name : `typeof(${name}), CASE typeof(${name}) WHEN 'text' THEN CAST(${name} AS BLOB) ELSE ${name} END`
  }

  /** A text that is no valid text stays bytes. */
  async #stored(cells: RowValues): Promise<RowValues> {
    if (this.#textForm === 'string') return cells
    const decode = this.#decoder ??= strictDecoder(String((await this.#driver.query('PRAGMA encoding'))[0]?.[0]))
    return cells.filter((_, index) => index % 2 === 1).map((value, index) => (cells[2 * index] === 'text' && value instanceof Uint8Array ? decode(value) ?? value : value))
  }

  #page(
    table: string, request: { readonly columns: readonly CatalogueColumn[]; readonly after: Value; readonly limit: number; readonly options: ReadTableOptions },
  ): Promise<readonly RowValues[]> {
    const { columns, after, limit, options } = request
    const conditions = [options.where === undefined ? '' : `(${options.where})`, after === null ? '' : '_rowid_ > ?'].filter((part) => part !== '')
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
    const parameters = [...(options.parameters ?? []), ...(after === null ? [] : [after as SqliteValue]), limit] // a rowid is an integer
    const names = columns.map((column) => this.#expressions(quote(column.name))).join(', ')
    return this.#driver.query(`SELECT _rowid_, ${names} FROM ${quote(table)} ${where} ORDER BY _rowid_ LIMIT ?`, parameters)
  }
}

function toRow(columns: readonly CatalogueColumn[], cells: RowValues): ReplicaRow {
  const row: Record<string, Value> = Object.create(null) as Record<string, Value> // TypeScript types Object.create as any
  for (const [index, column] of columns.entries()) row[column.name] = sourceValue(column, cells[index] ?? null)
  return row
}
