import { quoteIdentifier, quoteTable } from '../quote.ts'
import type { ExportedTable } from './exported-table.ts'

/** 4 MB: about what may wait here for its turn, so that the server never has to wait while it makes a range ready. */
const PAGES_PER_RANGE = 512

/**
 * COPY of a table in ranges of its pages, so that a scan can go on near to where it stopped. In a snapshot rows keep their places: neither VACUUM nor an
 * update moves what it sees, and what would (CLUSTER, VACUUM FULL) waits for the lock on the table. The order is that of the pages.
 *
 * A limit takes the first rows in the order of the key, in one statement.
 */
export function scanStatements(table: ExportedTable, selects: readonly string[]): readonly string[] {
  const { where, limit, pages } = table
  const condition = where === undefined ? [] : [`(${where}\n)`]
  const statement = (conditions: readonly string[], rest = ''): string => (
    `COPY (SELECT ${selects.join(', ')} FROM ONLY ${quoteTable(table)} AS t${conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`}${rest}) TO STDOUT`
  )
  if (limit !== undefined) return [statement(condition, ` ORDER BY ${table.key.length === 0 ? 'ctid' : table.key.map(quoteIdentifier).join(', ')} LIMIT ${limit}`)]
  const ranges = Math.max(1, Math.ceil(pages / PAGES_PER_RANGE))
  return Array.from({ length: ranges }, (_, range) => {
    const from = range === 0 ? [] : [`t.ctid >= '(${range * PAGES_PER_RANGE},0)'::pg_catalog.tid`]
    // Rows that come behind the last page are of no transaction that the snapshot sees.
    const to = range === ranges - 1 ? [] : [`t.ctid < '(${(range + 1) * PAGES_PER_RANGE},0)'::pg_catalog.tid`]
    return statement([...from, ...to, ...condition])
  })
}
