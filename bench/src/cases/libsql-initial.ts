import { postgresLoad } from './postgres-load.ts'

/** PostgreSQL into a file through @libsql/client. */
export const libsqlInitial = postgresLoad('libsql-initial', 'libsql')
