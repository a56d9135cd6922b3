export type { ServerAccess, ServerEngine, ServerInfo, ServerLifecycle, ServerOrigin, TestDatabase, TestServer } from './server.ts'
export { ServerUnavailableError, type PassedOver } from './server-unavailable-error.ts'
export { POSTGRES_VERSIONS, type PostgresVersion } from './postgres/postgres-versions.ts'
export { availablePostgresVersions, startPostgres, type StartPostgresOptions } from './start-postgres.ts'
