import { existsSync } from 'node:fs'
import { relaxWal, SqliteStateStore, type SqliteDriver } from '@tidemark/sqlite'
import { NodeSqliteDriver } from './node-sqlite-driver.ts'

export interface NodeSqliteStateStoreConfig {
  /**
   * File path. Created, in WAL mode, when it does not exist; how an existing file is journalled stays as it is. May be the database whose
   * changes are read, or that they are written to.
   */
  readonly path: string
  /** How long to wait for another writer, in milliseconds. Default 5,000. */
  readonly busyTimeoutMs?: number | undefined
  /** Prefix of the store's table. Default `tidemark_`. */
  readonly tablePrefix?: string | undefined
}

/** Checkpoints of change streams, and other small state, in a SQLite file. Errors: `CONFIG_INVALID` for the prefix, `TARGET_*`. */
export function nodeSqliteStateStore(config: NodeSqliteStateStoreConfig): SqliteStateStore {
  const { path, busyTimeoutMs = 5_000, tablePrefix } = config
  return new SqliteStateStore({ open: () => open(path, busyTimeoutMs), tablePrefix })
}

async function open(path: string, busyTimeoutMs: number): Promise<SqliteDriver> {
  const isForeign = existsSync(path)
  const driver = new NodeSqliteDriver({ path, busyTimeoutMs, isForeign })
  return isForeign ? relaxWal(driver) : driver
}
