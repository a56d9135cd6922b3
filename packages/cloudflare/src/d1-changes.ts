import { TidemarkError } from '@tidemark/core/adapter'
import { sqliteChanges, type SqliteChanges, type SqliteChangesOptions } from '@tidemark/sqlite'
import type { D1Database } from './d1-database.ts'
import { D1Driver } from './d1-driver.ts'
import { HOST } from './host-limits.ts'

/** Each look is a request, and its rows are billed. */
const POLL_INTERVAL_MS = 5_000

/**
 * Changes of a D1 database, given its binding: by whatever Worker they are made. Looks are requests to the database, so that they are far
 * apart by default; call `notify()` where this process writes.
 *
 * Errors: as `sqliteChanges` of `@tidemark/sqlite`; `alter` is `NOT_SUPPORTED`.
 */
export function d1Changes(database: D1Database, options: SqliteChangesOptions = {}): SqliteChanges {
  const open = (): Promise<D1Driver> => Promise.resolve(new D1Driver(database))
  const changes = sqliteChanges({ ...HOST, address: 'd1', openReader: open, openWriter: open }, { ...options, pollIntervalMs: options.pollIntervalMs ?? POLL_INTERVAL_MS })
  return { ...changes, alter: () => Promise.reject(noAlter()) }
}

function noAlter(): TidemarkError {
  return new TidemarkError('NOT_SUPPORTED', 'D1 has no transaction in which a captured table could be changed and looked at.', {
    remedy: 'Stop the streams that name the table, call uninstall({ tables }), change it, and start them again: they get its rows anew. Adding and renaming columns needs none of this.',
  })
}
