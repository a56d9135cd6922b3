export type { LibsqlClient, LibsqlResult, LibsqlStatement, LibsqlTransaction } from './libsql-client.ts'
export type { LibsqlClientConfig, LibsqlConfig, LibsqlUrlConfig } from './libsql-config.ts'
export { libsql } from './libsql.ts'
export { libsqlChangeTarget } from './libsql-change-target.ts'
export { libsqlChanges } from './libsql-changes.ts'
export { libsqlPropagationTarget } from './libsql-propagation-target.ts'
export { libsqlSource } from './libsql-source.ts'
export { libsqlStateStore } from './libsql-state-store.ts'
export { libsqlFileTarget, libsqlTarget } from './libsql-target.ts'
// What the factories give and take, so that an application needs no second package to name it.
export type {
  CaptureStatus, ChangeTargetOptions, ChangeTargetTransaction, SqliteChanges, SqliteChangesOptions, SqliteChangeTarget, SqliteStateStore,
} from '@tidemark/sqlite'
