import {
  TidemarkError, throwIfAborted, type AbortOptions, type CreateTableRequest, type ImportConnection, type InsertRowsRequest, type ManifestTable, type RowValues, type RunStatementsOutcome,
  type RunStatementsRequest, type TargetTable,
} from '@tidemark/core/adapter'
import type { SqliteDriver } from '../driver.ts'
import { sqliteError } from '../errors.ts'
import { createTableSql } from '../table-ddl.ts'
import { upsertRows } from '../upsert.ts'
import { forgetImport, readImportProgress, requireImportProgress, writeImportProgress } from './import-progress.ts'
import { runStatements } from './run-statements.ts'

export class SqliteImportConnection implements ImportConnection {
  readonly #driver: SqliteDriver
  readonly #maxParameters: number

  constructor(driver: SqliteDriver, maxParameters: number) {
    this.#driver = driver
    this.#maxParameters = maxParameters
  }

  readProgress(importId: string): Promise<string | undefined> {
    return readImportProgress((sql, parameters) => this.#driver.query(sql, parameters), importId)
  }

  existing(names: readonly string[]): Promise<readonly string[]> {
    return takenNames((sql) => this.#driver.query(sql), names)
  }

  runStatements(request: RunStatementsRequest): Promise<RunStatementsOutcome> {
    return runStatements(this.#driver, request)
  }

  async createTable({ table, progress, signal }: CreateTableRequest): Promise<void> {
    throwIfAborted(signal)
    await this.#driver.transaction(async (transaction) => {
      await requireImportProgress(transaction, progress)
      const [taken] = await takenNames((sql) => transaction.query(sql), [table.name])
      if (taken !== undefined) throw new TidemarkError('TARGET_NOT_OWNED', `The target has a table '${taken}' already.`, { remedy: 'Load into an empty database, or drop the table.' })
      await transaction.run(createTableSql(table.name, targetTable(table)))
      await writeImportProgress(transaction, progress, 0)
    })
  }

  async insertRows({ table, rows, progress, signal }: InsertRowsRequest): Promise<void> {
    throwIfAborted(signal)
    await this.#driver.transaction(async (transaction) => {
      await requireImportProgress(transaction, progress)
      // Without a key it is a plain INSERT: a row that is there already is an error, not to be passed over.
      if (rows.length > 0) await upsertRows(transaction, { ...targetTable(table), key: [] }, { rows, maxParameters: this.#maxParameters })
      await writeImportProgress(transaction, progress, rows.length)
    })
  }

  /** Keys are told, not refused: the database that was dumped may have had the same. */
  async finish(importId: string, { signal }: AbortOptions = {}): Promise<readonly string[]> {
    throwIfAborted(signal)
    const notes = await this.#orphans()
    await this.#driver.transaction((transaction) => forgetImport(transaction, importId))
    return notes
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#driver[Symbol.asyncDispose]()
  }

  async #orphans(): Promise<readonly string[]> {
    try {
      const rows = await this.#driver.query('SELECT "table", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2')
      return rows.map(([table, parent, count]) => `${String(count)} rows of '${String(table)}' refer to rows of '${String(parent)}' that are not there.`)
    } catch (error) {
      if (sqliteError(error).retryable) throw error
      // SQLite does not check a key that names no unique columns, and says so with an error.
      return ['Foreign keys could not be checked: one of them does not fit the table that it names.']
    }
  }
}

type Query = (sql: string) => Promise<readonly RowValues[]>

async function takenNames(query: Query, names: readonly string[]): Promise<readonly string[]> {
  const rows = await query(`SELECT lower(name) FROM main.sqlite_schema WHERE type IN ('table', 'view')`)
  const taken = new Set(rows.map(([name]) => name))
  return names.filter((name) => taken.has(name.toLowerCase()))
}

function targetTable({ name, columns, key }: ManifestTable): TargetTable {
  return { name, key, indexes: [], enforceUniques: false, origin: name, deletedAtColumn: undefined, columns: columns.map((column) => ({ ...column, onUnrepresentable: 'error' })) }
}
