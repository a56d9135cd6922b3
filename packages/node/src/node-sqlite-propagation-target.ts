import type { PropagationTarget } from '@tidemark/core'
import { sqlitePropagationTarget, type SqlitePropagationOptions } from '@tidemark/sqlite'
import { NodeSqliteDriver } from './node-sqlite-driver.ts'

export interface NodeSqlitePropagationTargetConfig extends SqlitePropagationOptions {
  /** File path. Created when it does not exist, and put in WAL mode. */
  readonly path: string
  /** How long to wait for another writer, in milliseconds. Default 5,000. */
  readonly busyTimeoutMs?: number | undefined
}

/** SQLITE_MAX_VARIABLE_NUMBER as SQLite is built by default (sqlite.org, "Limits"). */
const MAX_PARAMETERS = 32_766

/** A SQLite file that takes the changes of its peers. Errors: `TARGET_*`. */
export function nodeSqlitePropagationTarget({ path, busyTimeoutMs = 5_000, ...options }: NodeSqlitePropagationTargetConfig): PropagationTarget {
  const open = async (): Promise<NodeSqliteDriver> => {
    const driver = new NodeSqliteDriver({ path, busyTimeoutMs })
    // What a cascade did at the sender comes as rows.
    await driver.execute('PRAGMA foreign_keys = OFF')
    return driver
  }
  return sqlitePropagationTarget({ address: `sqlite:${path}`, maxParameters: MAX_PARAMETERS, isInteractive: true, open }, options)
}
