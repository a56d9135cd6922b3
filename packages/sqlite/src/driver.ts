import type { RowValues, Value } from '@tidemark/core/adapter'

/** What a statement may be given. Booleans are turned into 0 and 1 before they reach a driver. */
export type SqliteValue = Exclude<Value, boolean>

/** Statements inside one write transaction. */
export interface SqliteTransaction {
  /** Rows as arrays. Integers outside the safe range are `bigint`, all others `number`. */
  query(sql: string, parameters?: readonly SqliteValue[]): Promise<readonly RowValues[]>
  /** Runs one statement and tells how many rows it changed. Statements of equal text are prepared once. */
  run(sql: string, parameters?: readonly SqliteValue[]): Promise<number>
  /** Runs statements that take no parameters, one after the other, and keeps none of them. Stops at the first that fails. */
  script(sql: string): Promise<void>
  /**
   * Runs one statement with each of the lists, in order, and tells how many rows all of them changed. Present where a
   * statement is a round trip, to spare most of them.
   */
  runMany?(sql: string, lists: Iterable<readonly SqliteValue[]>): Promise<number>
}

/**
 * A write transaction as every host of SQLite can have one, also those without BEGIN and COMMIT: what it reads comes before what it
 * writes, and what a statement changed is not asked for. A host may keep the writes back and send them as one batch, under the
 * condition that everything read is still so.
 */
export interface BatchTransaction {
  /** Only reads. Behind a write it may be refused: `INTERNAL`. */
  query(sql: string, parameters?: readonly SqliteValue[]): Promise<readonly RowValues[]>
  run(sql: string, parameters?: readonly SqliteValue[]): Promise<unknown>
  /** Runs the statement if SQLite accepts it as things are now, and tells whether it did. Absent where there are savepoints to do that with. */
  attempt?(sql: string): Promise<boolean>
}

/** What the change log and the state store need of a driver. Every `SqliteDriver` is one. */
export interface BatchDriver extends AsyncDisposable {
  query(sql: string, parameters?: readonly SqliteValue[]): Promise<readonly RowValues[]>
  view(queries: readonly SqliteQuery[], options?: ViewOptions): Promise<readonly (readonly RowValues[])[]>
  /** All of the writes or none. `work` may be run again when what it has read is not so any more. */
  transaction<T>(work: (transaction: BatchTransaction) => Promise<T>): Promise<T>
  /** Moves the write-ahead log into the file, as far as that goes without waiting for anybody. Present where there is a file. */
  checkpoint?(): Promise<void>
}

/** A second database of the same connection, until disposed. */
export interface AttachedImage extends AsyncDisposable {
  /** Schema name to put before its tables. */
  readonly schema: string
}

export interface SqliteQuery {
  readonly sql: string
  readonly parameters?: readonly SqliteValue[] | undefined
}

export interface ViewOptions {
  /** Integers as `bigint`, whatever their size: tells them from doubles. Default false: those in the safe range as numbers. */
  readonly bigints?: boolean | undefined
}

/**
 * The subset of a SQLite driver that the engine needs, so that node:sqlite, libsql, @libsql/client, better-sqlite3
 * and a Durable Object answer the same few questions. Errors must be mapped with `sqliteError` already.
 */
export interface SqliteDriver extends AsyncDisposable {
  query(sql: string, parameters?: readonly SqliteValue[]): Promise<readonly RowValues[]>
  /** Several queries under one view of the database: no commit comes between them. Never called while a transaction is open. */
  view(queries: readonly SqliteQuery[], options?: ViewOptions): Promise<readonly (readonly RowValues[])[]>
  /** Runs a statement that can't stand in a transaction, such as a PRAGMA. */
  execute(sql: string): Promise<void>
  /** `BEGIN IMMEDIATE` … `COMMIT`; rolled back when `work` rejects. Never called while another is open. */
  transaction<T>(work: (transaction: SqliteTransaction) => Promise<T>): Promise<T>
  checkpoint?(): Promise<void>
  /**
   * Makes a complete database image readable on this connection. Present only where the driver shares a file
   * system with us; bulk loads are several times faster through it than by binding values.
   */
  attachImage?(image: Uint8Array): Promise<AttachedImage>
}
