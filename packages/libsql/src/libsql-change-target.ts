import { SqliteChangeTarget, type ChangeTargetOptions } from '@tidemark/sqlite'
import type { LibsqlConfig } from './libsql-config.ts'
import { openDriver } from './open-driver.ts'

/**
 * A libSQL database that takes what a subscriber makes of changes together with its checkpoint, so that each takes effect once. A
 * server ends a write transaction that takes too long: let batches be small where handlers are slow.
 */
export function libsqlChangeTarget(config: LibsqlConfig, options: ChangeTargetOptions): SqliteChangeTarget {
  return new SqliteChangeTarget({ ...options, open: () => openDriver(config) })
}
