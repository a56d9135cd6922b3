import { TidemarkError } from '@tidemark/core/adapter'
import type { Cursor, FenceRequest } from '@tidemark/core/adapter'
import { cursorColumns, orderBy, readCursor, TABLE_ALIAS } from './cursor-columns.ts'
import type { PostgresSession } from './postgres-session.ts'
import { quoteIdentifier, quoteTable } from './quote.ts'
import { FENCE_EXPRESSION, shortFence } from './snapshot-fence.ts'

export interface HighMark {
  readonly cursor: Cursor | undefined
  readonly fence: string
  readonly hasNullTracking: boolean
}

/** One statement, in the shape of a page: a head, then the last row if there is one. */
export async function readHighMark(session: PostgresSession, request: FenceRequest): Promise<HighMark> {
  const columns = cursorColumns(request.table, request.key, request.tracking)
  const table = quoteTable(request.table.ref)
  const tracking = quoteIdentifier(request.tracking)
  const nulls = columns.tracking?.nullable === true ? `EXISTS (SELECT 1 FROM ${table} WHERE ${tracking} IS NULL)` : 'false'
  const selected = columns.order.map((column) => quoteIdentifier(column.name))
  const text = `SELECT ${FENCE_EXPRESSION}, ${nulls}${', NULL'.repeat(selected.length)} `
    + `UNION ALL (SELECT NULL, NULL::pg_catalog.bool, ${selected.join(', ')} FROM ${table} AS ${TABLE_ALIAS} WHERE ${tracking} IS NOT NULL `
    + `ORDER BY ${orderBy(columns.order, ' DESC')} LIMIT 1)`
  const [head, row] = await session.query({ text, signal: request.signal })
  if (head === undefined) throw new TidemarkError('SOURCE_CORRUPT_RESULT', 'A high mark of the source has no head.')
  const cursor = row === undefined ? undefined : readCursor(columns, (column) => row[2 + columns.order.indexOf(column)] ?? null)
  return { cursor, fence: shortFence(head[0] ?? ''), hasNullTracking: head[1] === 't' }
}
