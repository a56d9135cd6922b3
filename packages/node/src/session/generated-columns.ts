import { DatabaseSync } from 'node:sqlite'
import { affinityOf, quote } from '@tidemark/sqlite'
import type { Value } from '@tidemark/core/adapter'
import type { CapturedTable } from './captured-table.ts'
import { RowReader, type ReadableColumns, type TextReading } from './row-reader.ts'
import { oneRow, prepareRaw, type Parameter } from './statements.ts'

/**
 * Computes generated columns from stored ones. A changeset has none of them (SQLite 3.53), and the row as it was before is gone, so
 * SQLite itself computes them anew, in an empty copy of the table in memory: an insert, a select and a delete for each image.
 * Only tables that have such columns pay for it.
 */
export class GeneratedColumns {
  readonly #table: CapturedTable
  readonly #text: TextReading
  /** `null`: it can't be made. */
  #shadow: Shadow | null | undefined

  constructor(table: CapturedTable, text: TextReading) {
    this.#table = table
    this.#text = text
  }

  /** In the order of `table.generated`; `undefined` where they can't be computed here: they call a function of the application's. */
  compute(stored: readonly Value[]): readonly Value[] | undefined {
    if (this.#table.generated.length === 0) return []
    if (this.#shadow === undefined) this.#shadow = openShadow(this.#table, this.#text)
    try {
      return this.#shadow === null ? undefined : this.#compute(this.#shadow, stored)
    } catch {
      // Such a function, or a text that is none: the columns are then named as unavailable.
      return undefined
    }
  }

  /** What is asked for later opens it anew. */
  close(): void {
    this.#shadow?.database.close()
    this.#shadow = undefined
  }

  #compute(shadow: Shadow, stored: readonly Value[]): readonly Value[] | undefined {
    const { insert, plain, exact, clear } = shadow
    insert.run(...stored as readonly Parameter[]) // no booleans: these are values of SQLite
    try {
      const reader = new RowReader(generatedOf(this.#table), this.#text)
      return reader.values(oneRow(plain) ?? []) ?? reader.exactValues(oneRow(exact) ?? [])
    } finally {
      clear.run()
    }
  }
}

interface Shadow {
  readonly database: DatabaseSync
  readonly insert: ReturnType<typeof prepareRaw>
  readonly plain: ReturnType<typeof prepareRaw>
  readonly exact: ReturnType<typeof prepareRaw>
  readonly clear: ReturnType<typeof prepareRaw>
}

function openShadow(table: CapturedTable, text: TextReading): Shadow | null {
  const database = new DatabaseSync(':memory:', { enableForeignKeyConstraints: false })
  try {
    database.exec(`PRAGMA encoding = '${text.encoding}'; PRAGMA ignore_check_constraints = 1`)
    database.exec(table.ddl)
    const reader = new RowReader(generatedOf(table), text)
    const name = quote(table.name)
    const prepare = (sql: string): ReturnType<typeof prepareRaw> => prepareRaw(database, sql)
    return {
      database,
      insert: prepare(`INSERT INTO ${name} (${table.stored.map(quote).join(', ')}) VALUES (${table.stored.map(() => '?').join(', ')})`),
      plain: prepare(`SELECT ${reader.plain} FROM ${name} AS s`),
      exact: prepare(`SELECT ${reader.exact} FROM ${name} AS s`),
      clear: prepare(`DELETE FROM ${name}`),
    }
  } catch {
    // It names a function or a collation that only the application's connection knows.
    database.close()
    return null
  }
}

export function generatedOf(table: CapturedTable): ReadableColumns {
  const columns = table.columns.filter((column) => column.generated)
  return { names: columns.map((column) => column.name), isUntyped: columns.map((column) => affinityOf(column.type) === 'blob'), key: [] }
}
