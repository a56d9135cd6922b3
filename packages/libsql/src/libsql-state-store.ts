import { SqliteStateStore } from '@tidemark/sqlite'
import type { LibsqlConfig } from './libsql-config.ts'
import { openDriver } from './open-driver.ts'

/** Checkpoints of change streams, and other small state, in a libSQL database. Errors: `CONFIG_INVALID` for the prefix, `TARGET_*`. */
export function libsqlStateStore(config: LibsqlConfig, options: { readonly tablePrefix?: string | undefined } = {}): SqliteStateStore {
  return new SqliteStateStore({ open: () => openDriver(config), tablePrefix: options.tablePrefix })
}
