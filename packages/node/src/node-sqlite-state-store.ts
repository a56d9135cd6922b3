import { SqliteStateStore } from '@tidemark/sqlite'
import { NodeSqliteDriver } from './node-sqlite-driver.ts'

export interface NodeSqliteStateStoreConfig {
  /** File path. Created when it does not exist. May be the database whose changes are read, or that they are written to. */
  readonly path: string
  /** How long to wait for another writer, in milliseconds. Default 5,000. */
  readonly busyTimeoutMs?: number | undefined
  /** Prefix of the store's table. Default `tidemark_`. */
  readonly tablePrefix?: string | undefined
}

/** Checkpoints of change streams, and other small state, in a SQLite file. Errors: `CONFIG_INVALID` for the prefix, `TARGET_*`. */
export function nodeSqliteStateStore(config: NodeSqliteStateStoreConfig): SqliteStateStore {
  const { path, busyTimeoutMs = 5_000, tablePrefix } = config
  return new SqliteStateStore({ open: () => Promise.resolve().then(() => new NodeSqliteDriver({ path, busyTimeoutMs })), tablePrefix })
}
