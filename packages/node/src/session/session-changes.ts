import type { DatabaseSync } from 'node:sqlite'
import type { ChangeSource } from '@tidemark/core/adapter'
import { sessionSettings, type SessionChangesOptions } from './session-options.ts'
import { SessionSource } from './session-source.ts'
import type { TransactionOptions } from './write-transaction.ts'

/** A source of changes that also runs the writer's transactions. */
export interface SessionChanges extends ChangeSource {
  /**
   * `BEGIN IMMEDIATE`, `work`, `COMMIT`; rolled back when `work` throws. Returns what `work` returns, and throws what it or SQLite throws.
   * What it wrote comes as one transaction of the stream. Capturing never makes it fail.
   *
   * Inside of an open transaction, be it of this function or the application's own, `work` runs in a savepoint: what it wrote is undone
   * when it throws, and belongs to the outer transaction when it does not.
   *
   * `work` is synchronous and leaves BEGIN, COMMIT and ROLLBACK alone; a promise or an ended transaction is a `TypeError`.
   */
  transaction<T>(work: () => T, options?: TransactionOptions): T
}

/**
 * Changes of a `node:sqlite` database, recorded by SQLite's session extension on the application's own connection. Nothing is
 * added to the database file. Nothing is kept either: what was not read when the process ends is gone, and only this connection's writes
 * are seen. Close the stream before the database. Never set an authorizer on this connection: node:sqlite crashes with both.
 *
 * Errors: `CONFIG_INVALID`, `TABLE_NOT_CAPTURABLE`; `connect` has `NOT_SUPPORTED`, `TABLE_UNKNOWN`, `TABLE_NOT_CAPTURABLE`, `SOURCE_*`.
 */
export function sessionChanges(database: DatabaseSync, options: SessionChangesOptions): SessionChanges {
  return new SessionSource(database, sessionSettings(options))
}
