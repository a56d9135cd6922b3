export { betterSqliteSource, betterSqliteTarget, type BetterSqliteConfig, type BetterSqliteTargetConfig } from './better-sqlite.ts'
export { zstd } from './compression/zstd.ts'
export { guardedFetch, type GuardedFetchOptions } from './callback/guarded-fetch.ts'
export { nodeSqlite, type NodeSqliteConfig } from './export/node-sqlite.ts'
export { nodeSqliteSource, type NodeSqliteSourceConfig } from './node-sqlite-source.ts'
export { nodeSqliteTarget, type NodeSqliteTargetConfig } from './node-sqlite-target.ts'
export { nodeReplicaReader, type NodeReplicaReaderConfig } from './node-replica-reader.ts'
export { sqliteChanges, type ChangedDatabase, type NodeSqliteChangesOptions } from './sqlite-changes.ts'
export { sessionChanges, type SessionChanges } from './session/session-changes.ts'
export { fsStorage, type FsStorageOptions } from './storage/fs-storage.ts'
export type { SessionChangesOptions } from './session/session-options.ts'
export type { TransactionOptions } from './session/write-transaction.ts'
export { nodeSqliteStateStore, type NodeSqliteStateStoreConfig } from './node-sqlite-state-store.ts'
export { nodeSqlitePropagationTarget, type NodeSqlitePropagationTargetConfig } from './node-sqlite-propagation-target.ts'
export { nodeSqliteChangeTarget, type NodeSqliteChangeTargetConfig } from './node-sqlite-change-target.ts'
// What the factories give and take, so that an application needs no second package to name it.
export type {
  CaptureStatus, ChangeTargetOptions, ChangeTargetTransaction, SqliteChanges, SqliteChangesOptions, SqliteChangeTarget, SqliteStateStore,
} from '@tidemark/sqlite'
