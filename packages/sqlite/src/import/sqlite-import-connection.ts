import {
  TidemarkError, throwIfAborted, type AbortOptions, type CreateTableRequest, type ImportConnection, type InsertRowsRequest, type ManifestTable, type RowValues, type RunStatementsOutcome,
  type RunStatementsRequest, type TargetTable,
} from '@tidemark/core/adapter'
import type { BatchTransaction, SqliteValue } from '../driver.ts'
import { sqliteError } from '../errors.ts'
import { createTableSql } from '../table-ddl.ts'
import { forgetImport, readImportProgress, requireImportProgress, writeImportProgress } from './import-progress.ts'

interface Driver<T> extends AsyncDisposable {
  query(sql: string, parameters?: readonly SqliteValue[]): Promise<readonly RowValues[]>
  transaction<R>(work: (transaction: T) => Promise<R>): Promise<R>
}

/** What differs by the kind of transaction that a host has. */
export interface ImportWrites<T> {
  readonly runStatements: (request: RunStatementsRequest) => Promise<RunStatementsOutcome>
  /** Fails for a row that is there already. */
  readonly insert: (transaction: T, table: TargetTable, rows: readonly RowValues[]) => Promise<void>
}

export class SqliteImportConnection<T extends BatchTransaction> implements ImportConnection {
  readonly #driver: Driver<T>
  readonly #writes: ImportWrites<T>

  constructor(driver: Driver<T>, writes: ImportWrites<T>) {
    this.#driver = driver
    this.#writes = writes
  }

  readProgress(importId: string): Promise<string | undefined> {
    return readImportProgress((sql, parameters) => this.#driver.query(sql, parameters), importId)
  }

  existing(names: readonly string[]): Promise<readonly string[]> {
    return takenNames((sql) => this.#driver.query(sql), names)
  }

  runStatements(request: RunStatementsRequest): Promise<RunStatementsOutcome> {
    return this.#writes.runStatements(request)
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
      if (rows.length > 0) await this.#writes.insert(transaction, targetTable(table), rows)
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
