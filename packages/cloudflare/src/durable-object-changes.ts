import { sqliteChanges, type SqliteChanges, type SqliteChangesOptions } from '@tidemark/sqlite'
import { DurableObjectDriver } from './durable-object-driver.ts'
import type { DurableObjectStorage } from './durable-object-storage.ts'
import { HOST } from './host-limits.ts'

/** For writes that nobody told of by `notify()`. */
const POLL_INTERVAL_MS = 1_000

/**
 * Changes of a Durable Object's own SQLite database, given its `ctx.storage`. Everything that writes to it runs in the same object: call
 * `notify()` after writing, and readers look at once.
 *
 * Errors: as `sqliteChanges` of `@tidemark/sqlite`.
 */
export function durableObjectChanges(storage: DurableObjectStorage, options: SqliteChangesOptions = {}): SqliteChanges {
  const open = (): Promise<DurableObjectDriver> => Promise.resolve(new DurableObjectDriver(storage))
  return sqliteChanges({ ...HOST, address: 'durable-object', seesUncommitted: true, openReader: open, openWriter: open }, { ...options, pollIntervalMs: options.pollIntervalMs ?? POLL_INTERVAL_MS })
}
