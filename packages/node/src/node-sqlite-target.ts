import type { TargetDialect } from '@tidemark/core/adapter'
import { sqliteTarget } from '@tidemark/sqlite'
import { NodeSqliteDriver } from './node-sqlite-driver.ts'
import { textForm } from './text-form.ts'

export interface NodeSqliteTargetConfig {
  /** File path, or `:memory:`. Created when it does not exist. */
  readonly path: string
  /** How long to wait for another writer, in milliseconds. Default 5,000. */
  readonly busyTimeoutMs?: number | undefined
  /** Longest row to accept, in bytes. Default: SQLite's own limit, 1,000,000,000. */
  readonly maxRowBytes?: number | undefined
}

/** SQLITE_MAX_VARIABLE_NUMBER and SQLITE_MAX_LENGTH as SQLite is built by default (sqlite.org, "Limits"). */
const MAX_PARAMETERS = 32_766
const MAX_ROW_BYTES = 1_000_000_000

/**
 * A SQLite file through the runtime's own `node:sqlite`: Node 22.16+, Deno 2.9+, Bun 1.4+. No native package to build.
 * The file is put in WAL mode. Errors: `TARGET_*`.
 */
export function nodeSqliteTarget(config: NodeSqliteTargetConfig): TargetDialect {
  return sqliteTarget({
    name: 'node-sqlite',
    address: `sqlite:${config.path}`,
    capabilities: { maxParameters: MAX_PARAMETERS, maxRowBytes: config.maxRowBytes ?? MAX_ROW_BYTES, shared: true, synchronous: true },
    textForm: textForm(),
    open: () => Promise.resolve().then(() => new NodeSqliteDriver({ path: config.path, busyTimeoutMs: config.busyTimeoutMs ?? 5_000 })),
  })
}
