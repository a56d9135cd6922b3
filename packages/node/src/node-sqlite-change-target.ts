import { SqliteChangeTarget, type ChangeTargetOptions } from '@tidemark/sqlite'
import { NodeSqliteDriver } from './node-sqlite-driver.ts'

export interface NodeSqliteChangeTargetConfig extends ChangeTargetOptions {
  /** File path. Created when it does not exist, and put in WAL mode. Better not the database whose changes are read: its writers would wait for the handler. */
  readonly path: string
  /** How long to wait for another writer, in milliseconds. Default 5,000. */
  readonly busyTimeoutMs?: number | undefined
}

/** A SQLite file that takes what a subscriber makes of changes together with its checkpoint, so that each takes effect once. */
export function nodeSqliteChangeTarget(config: NodeSqliteChangeTargetConfig): SqliteChangeTarget {
  const { path, busyTimeoutMs = 5_000, ...options } = config
  return new SqliteChangeTarget({ ...options, open: () => Promise.resolve().then(() => new NodeSqliteDriver({ path, busyTimeoutMs })) })
}
