import type { SourceDialect } from '@tidemark/core/adapter'
import { sqliteSource } from '@tidemark/sqlite'
import { NodeSqliteDriver } from './node-sqlite-driver.ts'
import { textForm } from './text-form.ts'

export interface NodeSqliteSourceConfig {
  /** File path. The file must exist; it is opened read-only. */
  readonly path: string
  /** How long to wait for a lock, in milliseconds. Default 5,000. */
  readonly busyTimeoutMs?: number | undefined
}

/**
 * A SQLite file as a source, through the runtime's own `node:sqlite`. Errors: `SOURCE_*`.
 *
 * A file in WAL mode is read beside its writers. Where its folder can't be written to, its `-shm` file must exist.
 */
export function nodeSqliteSource(config: NodeSqliteSourceConfig): SourceDialect {
  return sqliteSource({
    name: 'sqlite',
    address: `sqlite:${config.path}`,
    textForm: textForm(),
    open: () => Promise.resolve().then(() => new NodeSqliteDriver({ path: config.path, busyTimeoutMs: config.busyTimeoutMs ?? 5_000, isReadOnly: true })),
  })
}
