import type { RowValues } from '../change/value.ts'
import type { RowSink } from './row-sink.ts'
import type { AbortOptions } from './source.ts'
import type { ColumnSchema, IndexSchema } from './table.ts'
import type { Ledger } from '../state/ledger.ts'
import type { Fence } from '../state/lease.ts'

/** What a target can do. Every field is required. */
export interface TargetCapabilities {
  /** Bound parameters of one statement. */
  readonly maxParameters: number
  /** Bytes of one row; larger rows are `TARGET_ROW_TOO_LARGE` before anything is sent. */
  readonly maxRowBytes: number
  /** Whether other processes can write to the same target, so that leases matter. */
  readonly shared: boolean
  /** Whether writes block this thread until they are done. */
  readonly synchronous: boolean
}

/** A database to write to. Made by a factory such as `nodeSqliteTarget({ path })`; opens nothing by itself. */
export interface TargetDialect {
  readonly name: string
  readonly capabilities: TargetCapabilities
  /** Path or address without credentials. */
  readonly address: string
  /** Opens the database and brings Tidemark's own tables up to date. Errors: `TARGET_*`, `STATE_NEWER`. */
  connect(options: TargetConnectOptions): Promise<TargetConnection>
}

export interface TargetConnectOptions extends AbortOptions {
  /** Prefix of Tidemark's own tables, such as `tidemark_`. */
  readonly tablePrefix: string
}

/** A table as it stands in the target. */
export interface TargetTable {
  readonly name: string
  readonly columns: readonly ColumnSchema[]
  /** Empty for a copy of a table without key. */
  readonly key: readonly string[]
  readonly indexes: readonly IndexSchema[]
  /** Whether unique secondary indexes are enforced or plain. Plain by default: see `secondaryUniques`. */
  readonly enforceUniques: boolean
  /** Extra column, not of the source, that takes the time a row was found deleted; `undefined`: rows are removed. */
  readonly deletedAtColumn: string | undefined
  /** Kept in the catalogue: `postgres:public.users`. */
  readonly origin: string
}

/** A stored place to go on from, opaque to the target. */
export interface Checkpoint {
  /** Replication the checkpoint belongs to. */
  readonly name: string
  readonly state: string
  /** Milliseconds since 1970 of the last completed sync, for people who read the table. */
  readonly lastSyncAtMs: number | undefined
  /** The tracking value reached, for people who read the table. Never read back. */
  readonly lastSyncValue: string | undefined
}

/** What goes into the same transaction as rows: the checkpoint, guarded by the fence. */
export interface Commit {
  readonly checkpoint: Checkpoint
  /** Checked inside the transaction: a stale token is `LEASE_LOST` and nothing is written. */
  readonly fence: Fence
}

/** Changes of one table, applied in the order deletes, then upserts. */
export interface WriteBatch {
  readonly table: TargetTable
  /** Rows in the order of `table.columns`. An existing row that is equal already is left untouched. */
  readonly upserts: readonly RowValues[]
  /** Key values, one row each. */
  readonly deletes: readonly RowValues[]
  /** Time for `deletedAtColumn`, in milliseconds since 1970. */
  readonly atMs: number
}

export interface ApplyResult {
  /** Rows inserted or really changed. */
  readonly changed: number
  readonly deleted: number
}

/** Fills a staged table. Cells go in through the sink; nothing is durable before `commit`. */
export interface TableLoad extends RowSink, AsyncDisposable {
  /** Rows taken since the last commit. */
  readonly pendingRows: number
  /** Bytes they take, roughly. */
  readonly pendingBytes: number
  /** Writes the pending rows and the checkpoint in one transaction. */
  commit(commit: Commit): Promise<void>
}

export interface ReadTargetRowsRequest extends AbortOptions {
  readonly table: TargetTable
  /** Column names wanted, in order. */
  readonly columns: readonly string[]
  /** Key values strictly after which to read, in the target's own key order. */
  readonly after: RowValues | undefined
  readonly limit: number
}

export interface FindTargetRowsRequest extends AbortOptions {
  readonly table: TargetTable
  readonly columns: readonly string[]
  readonly keys: readonly RowValues[]
}

/** How a table of this name stands in the target. */
export type TargetTableStatus = 'absent' | 'owned' | 'foreign'

export interface OpenLoadOptions extends AbortOptions {
  /** Go on with the rows that earlier commits left, instead of with none. */
  readonly resume: boolean
  /**
   * Checked in the transaction that drops or makes the staged table: without it a worker that was paused past its
   * lease would empty the stage that its successor is filling. Default: not checked.
   */
  readonly fence?: Fence | undefined
}

/** One logical connection, not safe for concurrent calls: callers wait for one call to end before the next. */
export interface TargetConnection extends AsyncDisposable {
  /** Tidemark's own tables: configurations, checkpoints, run log, leases. */
  readonly ledger: Ledger
  inspectTable(name: string, options?: AbortOptions): Promise<TargetTableStatus>
  /** Creates an empty table, its indexes and its catalogue rows. */
  createTable(table: TargetTable, commit: Commit, options?: AbortOptions): Promise<void>
  /** All rows and the checkpoint, or nothing. */
  apply(batch: WriteBatch, commit: Commit, options?: AbortOptions): Promise<ApplyResult>
  /** Writes a checkpoint alone. */
  save(commit: Commit, options?: AbortOptions): Promise<void>
  /**
   * Opens the staged copy of `table`. `resume: false` begins with an empty one; `true` goes on with the rows
   * that earlier commits left, and is `STATE_CORRUPT` when the staged table is gone. Errors: `LEASE_LOST` for a stale fence.
   */
  openLoad(table: TargetTable, options: OpenLoadOptions): Promise<TableLoad>
  /**
   * Builds the indexes on the staged copy and puts it in place of `table.name`, in one transaction with the
   * checkpoint. Readers see the old table until then. Triggers and indexes that the user made on it are kept.
   */
  publishLoad(table: TargetTable, commit: Commit, options?: AbortOptions): Promise<void>
  /** Drops the staged copy, if any. */
  discardLoad(tableName: string): Promise<void>
  /** Adds columns, all NULL, in one transaction with the checkpoint. `table` is the table afterwards. */
  addColumns(table: TargetTable, added: readonly ColumnSchema[], commit: Commit, options?: AbortOptions): Promise<void>
  /** Follows drops and renames; `table` is the table afterwards. Columns are matched by `ordinal`. */
  alterColumns(table: TargetTable, previous: readonly ColumnSchema[], commit: Commit, options?: AbortOptions): Promise<void>
  readRows(request: ReadTargetRowsRequest): Promise<readonly RowValues[]>
  findRows(request: FindTargetRowsRequest): Promise<readonly RowValues[]>
  /** Drops an owned table and its catalogue rows. */
  dropTable(name: string): Promise<void>
}
