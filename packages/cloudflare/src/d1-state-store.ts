import { SqliteStateStore } from '@tidemark/sqlite'
import type { D1Database } from './d1-database.ts'
import { D1Driver } from './d1-driver.ts'

/** Checkpoints of change streams, and other small state, in a D1 database. Errors: `CONFIG_INVALID` for the prefix, `TARGET_*`. */
export function d1StateStore(database: D1Database, options: { readonly tablePrefix?: string | undefined } = {}): SqliteStateStore {
  return new SqliteStateStore({ open: () => Promise.resolve(new D1Driver(database)), tablePrefix: options.tablePrefix })
}
