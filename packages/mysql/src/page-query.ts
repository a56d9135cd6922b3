import type { ColumnSchema, Cursor, ReadRowsRequest, RowValues } from '@tidemark/core/adapter'
import { compileCell, type CellDecoder } from './cell-decoder.ts'
import type { RunOptions } from './mysql-link.ts'
import type { Session } from './open-session.ts'
import { after, from, orderBy, upTo, type Ordering } from './ordering.ts'
import { quoteIdentifier, quoteTable } from './quote.ts'
import { RowCollector } from './row-collector.ts'
import { MysqlRowDecoder, type CursorCells } from './row-decoder.ts'
import { selectExpression } from './select-expression.ts'
import { READ_ONLY } from './server-facts.ts'
import { fingerprintExpression } from './table-fingerprint.ts'

/** What to read, with everything that does not change between a page's statements. */
export interface PagePlan {
  readonly request: ReadRowsRequest
  readonly timeoutMs: number | undefined
  readonly ordering: Ordering
  readonly decoders: readonly CellDecoder[]
  /** Selected for the cursor alone, behind the head. */
  readonly cursorSelects: readonly string[]
  readonly cursor: CursorCells
}

export interface PageHead {
  readonly version: string | undefined
  readonly hasNullTracking: boolean
  readonly cursorAhead: boolean
  readonly serverSeconds: string
  /** Of the server, now: a failover leaves connections open. */
  readonly readOnly: string
}

export interface RowSlice {
  readonly rows: readonly RowValues[]
  readonly last: Cursor | undefined
}

/** Version, NULL flag, ahead flag, clock, whether writes are allowed, and the mark of a row that is one. */
const HEAD_CELLS = 6
const ROW_MARK_CELL = 5

/** `lead`: cells in front of the cursor's own. */
export function planCursor(ordering: Ordering, columns: readonly ColumnSchema[], lead: number): Pick<PagePlan, 'cursorSelects' | 'cursor'> {
  const selects: string[] = []
  const wanted = ordering.parts.map((part) => {
    const shown = columns.findIndex((column) => column.name === part.column.name && selectExpression(column) === part.select)
    if (shown === -1) selects.push(part.select)
    return { part, shown, extra: selects.length - 1 }
  })
  const cellOf = (name: string): number => {
    const cell = wanted.find(({ part }) => part.column.name === name)
    if (cell === undefined) return 0
    return cell.shown === -1 ? lead + cell.extra : lead + selects.length + cell.shown
  }
  const tracking = ordering.tracking === undefined ? undefined : cellOf(ordering.tracking.column.name)
  return { cursorSelects: selects, cursor: { tracking, key: ordering.key.map((part) => cellOf(part.column.name)) } }
}

export function planPage(request: ReadRowsRequest, ordering: Ordering, timeoutMs: number | undefined): PagePlan {
  return { request, timeoutMs, ordering, decoders: request.columns.map(compileCell), ...planCursor(ordering, request.columns, HEAD_CELLS) }
}

export interface PageRange {
  /** Rows after all of these. */
  readonly after: readonly Cursor[]
  readonly upTo?: Cursor | undefined
  readonly limit: number
}

/**
 * The page and what the loop must know about it, in one statement: the head is a derived table of one row, so an
 * answer comes even when the page is empty, and it is read under the same version of the table as the rows.
 */
export async function readPage(session: Session, plan: PagePlan, range: PageRange & RunOptions): Promise<RowSlice & { readonly head: PageHead }> {
  let head: PageHead | undefined
  const { slice } = await collect(session, plan, {
    sql: pageStatement(plan, range),
    options: range,
    onLead: (text) => {
      head ??= { version: text(0) ?? undefined, hasNullTracking: text(1) === '1', cursorAhead: text(2) === '1', serverSeconds: text(3) ?? '', readOnly: text(4) ?? '' }
      return text(ROW_MARK_CELL) !== null
    },
  })
  return { ...slice, head: head ?? { version: undefined, hasNullTracking: false, cursorAhead: false, serverSeconds: '', readOnly: '' } }
}

/** Rows under share locks; throws what {@link MysqlLink.run} throws when one is refused. */
export async function readLocked(session: Session, plan: PagePlan, range: PageRange & RunOptions): Promise<RowSlice> {
  const { slice } = await collect(session, plan, { sql: lockedStatement(session, plan, range), options: range, onLead: () => true })
  return slice
}

interface Collecting {
  readonly sql: string
  readonly options: RunOptions
  readonly onLead: (text: (cell: number) => string | null) => boolean
}

async function collect(session: Session, plan: PagePlan, collecting: Collecting): Promise<{ readonly slice: RowSlice }> {
  const { decoders, cursor, cursorSelects } = plan
  const sink = new RowCollector(decoders.length)
  const decoder = new MysqlRowDecoder({ lead: HEAD_CELLS + cursorSelects.length, columns: decoders, cursor, onLead: collecting.onLead })
  await session.link.run(collecting.sql, (chunk) => decoder.push(chunk, sink), collecting.options)
  decoder.end()
  return { slice: { rows: sink.rows, last: decoder.last } }
}

/**
 * The page is a derived table with its own LIMIT, which every version reads from the index and stops; joined on TRUE
 * to the head. The outer order sorts at most a page, and without it the order would be a custom, not a promise.
 */
function pageStatement(plan: PagePlan, range: PageRange): string {
  const { request, ordering, cursorSelects } = plan
  const selects = [...cursorSelects, ...request.columns.map(selectExpression)]
  const orders = ordering.parts.map((part, i) => `${part.order} AS o${i}`)
  const inner = `SELECT 1 AS r, ${[...selects.map((select, i) => `${select} AS c${i}`), ...orders].join(', ')}`
    + ` FROM ${quoteTable(request.table.ref)} ${where(plan, range)} ORDER BY ${orderBy(ordering)} LIMIT ${Math.trunc(range.limit)}`
  const outerOrder = ordering.parts.map((part, i) => part.sort(`p.o${i}`)).join(', ')
  return `SELECT h.v, h.n, h.a, h.t, h.ro, p.r${selects.map((_, i) => `, p.c${i}`).join('')}`
    + ` FROM (SELECT ${headExpressions(plan)}) AS h LEFT JOIN (${inner}) AS p ON TRUE ORDER BY ${outerOrder}`
}

/**
 * The columns themselves are selected under the lock, not a count: an index that covers a count would be locked without
 * its rows, and an update that leaves the tracking value alone would go unseen.
 */
function lockedStatement(session: Session, plan: PagePlan, range: PageRange): string {
  const { request, ordering, cursorSelects } = plan
  const selects = [...Array.from({ length: HEAD_CELLS }, () => '1'), ...cursorSelects, ...request.columns.map(selectExpression)]
  return `SELECT ${selects.join(', ')} FROM ${quoteTable(request.table.ref)} ${where(plan, range)}`
    + ` ORDER BY ${orderBy(ordering)} LIMIT ${Math.trunc(range.limit)} ${session.server.lockClause}`
}

function where(plan: PagePlan, range: PageRange): string {
  const { request, ordering } = plan
  const conditions = range.after.map((cursor) => after(ordering, cursor))
  if (range.upTo !== undefined) conditions.push(upTo(ordering, range.upTo))
  if (request.tracking !== undefined && request.nullTracking === true) conditions.push(`${quoteIdentifier(request.tracking)} IS NULL`)
  // NULL sorts first: without this the first page would be NULLs.
  else if (ordering.tracking?.column.nullable === true) conditions.push(`${ordering.tracking.order} IS NOT NULL`)
  return conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
}

function headExpressions(plan: PagePlan): string {
  const { request } = plan
  return `${fingerprintExpression(request.table.ref)} AS v, ${hasNulls(request)} AS n, ${isAhead(plan)} AS a, UNIX_TIMESTAMP() AS t, ${READ_ONLY} AS ro`
}

export function hasNulls(request: Pick<ReadRowsRequest, 'table' | 'tracking'>): string {
  const column = request.table.columns.find((candidate) => candidate.name === request.tracking)
  if (column?.nullable !== true) return '0'
  return `EXISTS (SELECT 1 FROM ${quoteTable(request.table.ref)} WHERE ${quoteIdentifier(column.name)} IS NULL)`
}

/** No row at the cursor or behind it: one probe with an index. */
function isAhead(plan: PagePlan): string {
  const { request, ordering } = plan
  if (request.after === undefined || request.nullTracking === true) return '0'
  const { tracking } = ordering
  const leading = request.after.key.length === 0 && tracking !== undefined ? { tracking, key: [], parts: [tracking] } : ordering
  return `NOT EXISTS (SELECT 1 FROM ${quoteTable(request.table.ref)} WHERE ${from(leading, request.after)})`
}
