import { postgresLoad } from './postgres-load.ts'

/** PostgreSQL into a file through @libsql/client alone. */
export const libsqlInitial = postgresLoad('libsql-initial', 'libsql-client')

/**
 * The same through the synchronous `libsql`, which is an optional peer: an application has this speed only where it installs
 * that package. A case of its own, so that neither figure passes for the other.
 */
export const libsqlSyncInitial = postgresLoad('libsql-sync-initial', 'libsql')
