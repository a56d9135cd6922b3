import { SqliteStateStore } from '@tidemark/sqlite'
import type { LibsqlConfig } from './libsql-config.ts'
import { openDriver } from './open-driver.ts'

/**
 * Checkpoints of change streams, and other small state, in a libSQL database. A file that does not exist is made, in WAL mode; how an existing one is
 * journalled stays as it is. Errors: `CONFIG_INVALID` for the prefix, `TARGET_*`.
 */
export function libsqlStateStore(config: LibsqlConfig, options: { readonly tablePrefix?: string | undefined } = {}): SqliteStateStore {
  return new SqliteStateStore({ open: () => openDriver(config, { keepsJournal: true }), tablePrefix: options.tablePrefix })
}
