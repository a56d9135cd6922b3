import {
  TidemarkError, type AbortOptions, type ApplyResult, type ColumnSchema, type Commit, type FindTargetRowsRequest,
  type OpenLoadOptions, type ReadTargetRowsRequest, type RowValues, type TableLoad, type TargetCapabilities, type TargetConnection, type TargetTable,
  type TargetTableStatus, type WriteBatch,
} from '@tidemark/core/adapter'
import { alterColumns } from './alter-columns.ts'
import { eraseCatalogue, writeCatalogue } from './catalogue.ts'
import { requireCommit, requireFence, writeCheckpoint } from './commit.ts'
import type { SqliteValue } from './driver.ts'
import { ImageLoad } from './image-load.ts'
import { keyListSql, keyLists } from './key-list.ts'
import { liveOnly } from './live-only.ts'
import { ledgerTables, type LedgerTables } from './migrations.ts'
import { ParameterLoad } from './parameter-load.ts'
import { missingIndexes, publishLoad } from './publish-load.ts'
import { quote } from './quote.ts'
import { refuseForeign } from './refuse-foreign.ts'
import { refuseLargeRows } from './row-limit.ts'
import { SqliteLedger, isoTime, type Exclusive } from './sqlite-ledger.ts'
import { addColumnSql, createTableSql } from './table-ddl.ts'
import { RowTally, type TargetDriver, type TargetTransaction } from './target-driver.ts'
import { TargetReader, type TargetTextForm } from './target-reader.ts'
import { throwIfAborted } from './throw-if-aborted.ts'
import { toSqliteValue, upsertRows } from './upsert.ts'

export interface SqliteTargetConnectionOptions {
  readonly driver: TargetDriver
  readonly capabilities: TargetCapabilities
  readonly tablePrefix: string
  readonly textForm: TargetTextForm
}

/** The target side of every SQLite, whatever the driver. */
export class SqliteTargetConnection implements TargetConnection {
  readonly ledger: SqliteLedger
  readonly #driver: TargetDriver
  readonly #capabilities: TargetCapabilities
  readonly #tables: LedgerTables
  readonly #tablePrefix: string
  readonly #reader: TargetReader
  #tail: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor(options: SqliteTargetConnectionOptions) {
    this.#driver = options.driver
    this.#capabilities = options.capabilities
    this.#tablePrefix = options.tablePrefix
    this.#tables = ledgerTables(options.tablePrefix)
    this.#reader = new TargetReader({
      query: (sql, parameters, request) => this.#query(sql, parameters, request),
      textForm: options.textForm,
      maxParameters: options.capabilities.maxParameters,
    })
    this.ledger = new SqliteLedger(options.driver, options.tablePrefix, this.#exclusive)
  }

  async inspectTable(name: string, options?: AbortOptions): Promise<TargetTableStatus> {
    const rows = await this.#query(
      `SELECT (SELECT count(*) FROM sqlite_master WHERE name = ? COLLATE NOCASE AND type IN ('table', 'view')),
              (SELECT count(*) FROM ${this.#tables.tables} WHERE table_name = ?)`,
      [name, name],
      options,
    )
    const [exists, owned] = rows[0] ?? []
    if (Number(exists) === 0) return 'absent'
    return Number(owned) > 0 ? 'owned' : 'foreign'
  }

  async createTable(table: TargetTable, commit: Commit, options?: AbortOptions): Promise<void> {
    await this.#write(options, async (transaction) => {
      await requireCommit(transaction, this.#tables, commit)
      await refuseForeign(transaction, this.#tables, table.name)
      const indexes = await missingIndexes(transaction, { table, stageName: table.name, tablePrefix: this.#tablePrefix }, table.indexes)
      await transaction.run(createTableSql(table.name, table))
      for (const sql of indexes) await transaction.run(sql)
      await writeCatalogue(transaction, this.#tables, table)
      await writeCheckpoint(transaction, this.#tables, commit.checkpoint)
    })
  }

  async apply(batch: WriteBatch, commit: Commit, options?: AbortOptions): Promise<ApplyResult> {
    const { maxParameters, maxRowBytes } = this.#capabilities
    const { changed, deleted } = await this.#write(options, async (transaction) => {
      // Made here: work that is run again counts anew.
      const tallies = { changed: new RowTally(), deleted: new RowTally() }
      refuseLargeRows(batch.upserts, maxRowBytes)
      await requireCommit(transaction, this.#tables, commit)
      await this.#delete(transaction, batch, tallies.deleted)
      await upsertRows(transaction, batch.table, { rows: batch.upserts, maxParameters, tally: tallies.changed })
      await writeCheckpoint(transaction, this.#tables, commit.checkpoint)
      return tallies
    })
    return { changed: changed.rows, deleted: deleted.rows }
  }

  async save(commit: Commit, options?: AbortOptions): Promise<void> {
    await this.#write(options, async (transaction) => {
      await requireCommit(transaction, this.#tables, commit)
      await writeCheckpoint(transaction, this.#tables, commit.checkpoint)
    })
  }

  async openLoad(table: TargetTable, options: OpenLoadOptions): Promise<TableLoad> {
    const stage = { ...table, name: this.#stageName(table.name), indexes: [] }
    await this.#write(options, async (transaction) => {
      // Asked again when it is published; here, before hours of copying.
      await refuseForeign(transaction, this.#tables, table.name)
      if (options.fence !== undefined) await requireFence(transaction, this.#tables, options.fence)
      if (options.resume) return this.#requireStage(transaction, stage.name)
      await transaction.run(`DROP TABLE IF EXISTS ${quote(stage.name)}`)
      await transaction.run(createTableSql(stage.name, stage))
    })
    const { maxParameters, maxRowBytes } = this.#capabilities
    const driver = this.#driver
    const context = { driver, ledger: this.#tables, exclusive: this.#exclusive, stage, maxParameters, maxRowBytes }
    if (driver.attachImage === undefined) return new ParameterLoad(context)
    return new ImageLoad(context, driver.attachImage.bind(driver))
  }

  async publishLoad(table: TargetTable, commit: Commit, options?: AbortOptions): Promise<void> {
    const stageName = this.#stageName(table.name)
    await this.#exclusive(() => {
      throwIfAborted(options?.signal)
      return publishLoad({ driver: this.#driver, ledger: this.#tables, tablePrefix: this.#tablePrefix, table, stageName }, commit)
    })
  }

  async discardLoad(tableName: string): Promise<void> {
    await this.#write(undefined, async (transaction) => void await transaction.run(`DROP TABLE IF EXISTS ${quote(this.#stageName(tableName))}`))
  }

  async addColumns(table: TargetTable, added: readonly ColumnSchema[], commit: Commit, options?: AbortOptions): Promise<void> {
    await this.#write(options, async (transaction) => {
      await requireCommit(transaction, this.#tables, commit)
      for (const column of added) await transaction.run(addColumnSql(table.name, column))
      await writeCatalogue(transaction, this.#tables, table)
      await writeCheckpoint(transaction, this.#tables, commit.checkpoint)
    })
  }

  async alterColumns(table: TargetTable, previous: readonly ColumnSchema[], commit: Commit, options?: AbortOptions): Promise<void> {
    await this.#write(options, async (transaction) => {
      await requireCommit(transaction, this.#tables, commit)
      await alterColumns(transaction, table, previous)
      await writeCatalogue(transaction, this.#tables, table)
      await writeCheckpoint(transaction, this.#tables, commit.checkpoint)
    })
  }

  readRows(request: ReadTargetRowsRequest): Promise<readonly RowValues[]> {
    return this.#reader.readRows(request)
  }

  findRows(request: FindTargetRowsRequest): Promise<readonly RowValues[]> {
    return this.#reader.findRows(request)
  }

  async dropTable(name: string): Promise<void> {
    await this.#write(undefined, async (transaction) => {
      await refuseForeign(transaction, this.#tables, name)
      await transaction.run(`DROP TABLE IF EXISTS ${quote(name)}`)
      await eraseCatalogue(transaction, this.#tables, name)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#tail.catch(() => undefined)
    await this.#driver[Symbol.asyncDispose]()
  }

  async #delete(transaction: TargetTransaction, batch: WriteBatch, tally: RowTally): Promise<void> {
    const { table, deletes } = batch
    for (const list of keyLists(deletes, table.key.length, this.#capabilities.maxParameters)) {
      const where = keyListSql(table.key, list.length)
      const keys = list.flat().map(toSqliteValue)
      if (table.deletedAtColumn === undefined) await transaction.run(`DELETE FROM ${quote(table.name)} WHERE ${where}`, keys, tally)
      else await transaction.run(
        `UPDATE ${quote(table.name)} SET ${quote(table.deletedAtColumn)} = ? WHERE ${where} ${liveOnly(table, 'AND')}`, [isoTime(batch.atMs), ...keys], tally,
      )
    }
  }

  async #requireStage(transaction: TargetTransaction, stageName: string): Promise<void> {
    const rows = await transaction.query(`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?`, [stageName])
    if (rows.length === 0) throw new TidemarkError('STATE_CORRUPT', `The staged table "${stageName}" is gone.`)
  }

  #stageName(tableName: string): string {
    return `${this.#tablePrefix}load_${tableName}`
  }

  #query(sql: string, parameters: readonly SqliteValue[], options: AbortOptions | undefined): Promise<readonly RowValues[]> {
    return this.#exclusive(() => {
      throwIfAborted(options?.signal)
      return this.#driver.query(sql, parameters)
    })
  }

  #write<T>(options: AbortOptions | undefined, work: (transaction: TargetTransaction) => Promise<T>): Promise<T> {
    return this.#exclusive(() => {
      throwIfAborted(options?.signal)
      return this.#driver.transaction(work)
    })
  }

  /** One call at a time: tables sync side by side, but the connection can hold only one transaction. */
  readonly #exclusive: Exclusive = (work) => {
    if (this.#isClosed) return Promise.reject(new TidemarkError('CLOSED', 'The target connection is closed.'))
    const run = this.#tail.then(work)
    this.#tail = run.catch(() => undefined)
    return run
  }
}
