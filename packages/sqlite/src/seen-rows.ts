import type { RowValues } from '@tidemark/core/adapter'
import type { SqliteQuery, SqliteValue } from './driver.ts'

/** What a transaction has read. */
export interface SeenRows {
  readonly sql: string
  readonly parameters: readonly SqliteValue[]
  readonly rows: readonly RowValues[]
}

/** A query that gives 1 when the rows are as they were seen, in order, and 0 when not. */
export function isUnchanged(seen: SeenRows): SqliteQuery {
  return { sql: guardSql(seen, '0'), parameters: boundTo(seen) }
}

/**
 * A statement that fails when the rows are not as they were seen, and takes the whole batch back with it. SQLite has no other word for
 * that outside of triggers than an arithmetic that can't be done.
 */
export function requireUnchanged(seen: SeenRows): SqliteQuery {
  return { sql: guardSql(seen, 'abs(-9223372036854775808)'), parameters: boundTo(seen) }
}

/** Compared by IS, for which 1 and 1.0 are equal: D1 binds every number as a double, and gives either as the same. */
function guardSql({ sql, rows }: SeenRows, otherwise: string): string {
  const [first] = rows
  if (first === undefined) return `SELECT CASE WHEN EXISTS (${sql}) THEN ${otherwise} ELSE 1 END`
  const columns = first.map((_, index) => `c${index}`)
  const cells = columns.map((column, index) => `${column} IS json_extract(seen, '$[' || (i - 1) || '][${index}]')`).join(' AND ')
  return `WITH r (${columns.join(', ')}) AS (${sql}), n AS (SELECT *, row_number() OVER () AS i FROM r), e (seen) AS (SELECT ?)
    SELECT CASE WHEN (SELECT count(*) FROM r) = ${rows.length} AND NOT EXISTS (SELECT 1 FROM n, e WHERE NOT (${cells})) THEN 1 ELSE ${otherwise} END`
}

function boundTo({ parameters, rows }: SeenRows): readonly SqliteValue[] {
  return rows.length === 0 ? parameters : [...parameters, JSON.stringify(rows)]
}
