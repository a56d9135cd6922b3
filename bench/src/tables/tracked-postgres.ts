import type postgres from 'postgres'
import { CHANGED_ROWS } from './change-rows.ts'
import { createMixedPostgres } from './mixed-postgres.ts'

/** The mixed table with the index that following it asks for. Rounded up, so that no poll's neighbours reach over its end. */
export async function createTrackedPostgres(sql: postgres.Sql, rows: number, table: string): Promise<number> {
  const wholePolls = Math.ceil(rows / CHANGED_ROWS) * CHANGED_ROWS
  await createMixedPostgres(sql, wholePolls, table)
  await sql`create index on ${sql(table)} (updated_at, id)`
  return wholePolls
}
