export { postgresChanges, type PostgresChanges, type PostgresChangesOptions } from './stream/postgres-changes.ts'
export type { PostgresExecutor } from './executor-session.ts'
export { polledPostgresChanges, type PolledPostgresChangesOptions } from './stream/polled-postgres-changes.ts'
export type { PostgresOrphan } from './stream/find-orphans.ts'
export { postgresJanitor, type PostgresJanitor, type PostgresJanitorOptions } from './stream/postgres-janitor.ts'
export type { SlotStatus } from './stream/slot-status.ts'
export type { StreamingOptions } from './stream/streaming/streaming-settings.ts'
export { databaseOf } from './connect-target.ts'
export { grantsSql, type GrantsOptions } from './grants-sql.ts'
export { diagnoseStream, type DiagnoseStreamOptions } from './stream/diagnose-stream.ts'
export { postgresSource } from './postgres-source.ts'
export type {
  PostgresConfig, PostgresHostConfig, PostgresJsConfig, PostgresJsInstance, PostgresJsOptions, PostgresTls,
  PostgresTlsOptions, PostgresUrlConfig,
} from './postgres-config.ts'
