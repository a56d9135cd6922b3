import type { Cursor, FenceRequest } from '@tidemark/core/adapter'
import { makeFence } from './fence.ts'
import type { RunOptions } from './mysql-link.ts'
import type { Session } from './open-session.ts'
import { orderBy, orderingOf } from './ordering.ts'
import { hasNulls, planCursor } from './page-query.ts'
import type { ProofKinds } from './proof.ts'
import { quoteTable } from './quote.ts'
import { MysqlRowDecoder } from './row-decoder.ts'
import { RowCollector } from './row-collector.ts'

export interface HighMark {
  readonly cursor: Cursor | undefined
  readonly fence: string
  readonly hasNullTracking: boolean
}

/** NULL flag, clock, and the mark of a row that is one. */
const HEAD_CELLS = 3

/** The greatest (tracking, key), in one statement with the clock it was read at. */
export async function readHighMark(session: Session, kinds: ProofKinds, request: FenceRequest & RunOptions): Promise<HighMark> {
  const kind = await kinds.of(session, request.table, request)
  const ordering = orderingOf(request.table, request.key, request.tracking)
  const { cursorSelects, cursor } = planCursor(ordering, [], HEAD_CELLS)
  const table = quoteTable(request.table.ref)
  const inner = `SELECT 1 AS r, ${cursorSelects.map((select, i) => `${select} AS c${i}`).join(', ')} FROM ${table}`
    + ` WHERE ${ordering.tracking?.order ?? '1'} IS NOT NULL ORDER BY ${orderBy(ordering, 'DESC')} LIMIT 1`
  let hasNullTracking = false
  let seconds = ''
  const decoder = new MysqlRowDecoder({
    lead: HEAD_CELLS + cursorSelects.length,
    columns: [],
    cursor,
    onLead: (text) => {
      hasNullTracking = text(0) === '1'
      seconds = text(1) ?? ''
      return text(2) !== null
    },
  })
  const sink = new RowCollector(0)
  const sql = `SELECT h.n, h.t, p.r, ${cursorSelects.map((_, i) => `p.c${i}`).join(', ')}`
    + ` FROM (SELECT ${hasNulls(request)} AS n, UNIX_TIMESTAMP() AS t) AS h LEFT JOIN (${inner}) AS p ON TRUE`
  await session.link.run(sql, (chunk) => decoder.push(chunk, sink), request)
  decoder.end()
  return { cursor: decoder.last, fence: makeFence(kind, seconds), hasNullTracking }
}
