import type { TargetTable } from '@tidemark/core/adapter'
import { quote } from './quote.ts'

/** Rows that a soft delete has marked are not there any more. */
export function liveOnly(table: TargetTable, keyword: 'WHERE' | 'AND'): string {
  return table.deletedAtColumn === undefined ? '' : `${keyword} ${quote(table.deletedAtColumn)} IS NULL`
}
