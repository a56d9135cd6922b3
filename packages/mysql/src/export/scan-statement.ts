import { after } from '../ordering.ts'
import { quoteIdentifier } from '../quote.ts'
import type { ScanPosition } from './scan-position.ts'
import type { TablePlan } from './table-plan.ts'

/** The manual's own way of writing "all rows behind an offset". */
const ALL_ROWS = '18446744073709551615'

/**
 * Reads a table from a place on, its key in front of what is selected.
 *
 * Without a key the rows come in the order in which the engine stores them: `USE INDEX ()` leaves the server nothing but a scan of the
 * table, which InnoDB keeps in the order of a hidden row number, and in one snapshot that is the same rows in the same order each time. A hidden
 * number can't be compared with, so the rows before the place are counted off by the server.
 */
export function scanStatement({ relation, key, locksReaders }: TablePlan, selects: readonly string[], from: ScanPosition): string {
  const order = key?.ordering.parts.map((part) => part.order).join(', ')
  const conditions = [
    ...(relation.where === undefined ? [] : [`(${relation.where}\n)`]),
    ...(key !== undefined && from.key.length > 0 ? [after(key.ordering, { key: from.key })] : []),
  ]
  return [
    // Otherwise a table of an engine without row versions stays locked against writers while its reader pauses.
    `SELECT ${locksReaders ? 'SQL_BUFFER_RESULT ' : ''}${[...keySelects(key), ...selects].join(', ')}`,
    `FROM ${quoteIdentifier(relation.name)} ${key === undefined ? 'USE INDEX ()' : `FORCE INDEX (${quoteIdentifier(key.index)})`}`,
    ...(conditions.length === 0 ? [] : [`WHERE ${conditions.join(' AND ')}`]),
    ...(order === undefined ? [] : [`ORDER BY ${order}`]),
    ...limits(relation.limit, from, key === undefined),
  ].join(' ')
}

function keySelects(key: TablePlan['key']): readonly string[] {
  return key?.ordering.parts.map((part) => part.select) ?? []
}

function limits(limit: number | undefined, { rows }: ScanPosition, counts: boolean): readonly string[] {
  const offset = counts ? rows : 0
  if (limit === undefined && offset === 0) return []
  const most = limit === undefined ? ALL_ROWS : String(Math.max(0, limit - rows))
  return [`LIMIT ${most}${offset === 0 ? '' : ` OFFSET ${offset}`}`]
}
