import { postgresLoad } from './postgres-load.ts'

/** PostgreSQL into a SQLite file through node:sqlite. */
export const pgInitial = postgresLoad('pg-initial', 'node')
