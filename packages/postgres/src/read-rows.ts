import { TidemarkError } from '@tidemark/core/adapter'
import type { ColumnSchema, Cursor, ReadRowsRequest, RowPage, RowValues } from '@tidemark/core/adapter'
import type { TextRow } from './check-result.ts'
import { compileCodec, type ColumnCodec } from './column-codec.ts'
import { compareRow, cursorColumns, cursorTexts, orderBy, readCursor, TABLE_ALIAS, type CursorColumns } from './cursor-columns.ts'
import type { PostgresSession } from './postgres-session.ts'
import { quoteIdentifier, quoteLiteral, quoteTable } from './quote.ts'
import { selectExpression } from './select-expression.ts'
import { countSettled, FENCE_EXPRESSION, shortFence } from './snapshot-fence.ts'
import { fingerprintExpression } from './table-fingerprint.ts'

/** Fence, schema version, whether NULLs are tracked, whether the cursor's own row is gone. */
const HEAD_WIDTH = 4

/** A page's statement and where its parts stand in a row. */
interface PagePlan {
  readonly text: string
  readonly parameters: readonly string[]
  readonly cursor: CursorColumns
  /** Columns that are selected only for the cursor, behind those asked for. */
  readonly extra: readonly ColumnSchema[]
}

/**
 * One statement, and so one snapshot, for the page and for what the loop must know about it. The head is a row of its
 * own in front of the page rather than columns beside it: it comes even when the page is empty, and is sent once.
 */
export async function readRows(session: PostgresSession, request: ReadRowsRequest): Promise<RowPage> {
  const plan = planPage(request)
  const [head, ...rows] = await session.query({ ...plan, signal: request.signal })
  if (head === undefined || head[0] === null || rows.length > request.limit) {
    throw new TidemarkError('SOURCE_CORRUPT_RESULT', 'A page of the source has no head or too many rows.')
  }
  const fence = shortFence(head[0] ?? '')
  return {
    rows: decodeRows(rows, request.columns.map(compileCodec)),
    last: lastCursor(plan, request, rows.at(-1)),
    fence,
    settledMarks: countSettled(fence, request.marks ?? []),
    isLast: rows.length < request.limit,
    hasNullTracking: head[2] === 't',
    // Nothing after the cursor, and not even the row that it stands on.
    cursorAhead: rows.length === 0 && head[3] === 't',
    schemaVersion: head[1] ?? undefined,
  }
}

function planPage(request: ReadRowsRequest): PagePlan {
  const nulls = request.nullTracking === true
  const cursor = cursorColumns(request.table, request.key, nulls ? undefined : request.tracking)
  const parameters = request.after === undefined ? [] : cursorTexts(cursor, request.after)
  const extra = cursor.order.filter((column) => cellIndex(request.columns, column) === -1)
  const table = quoteTable(request.table.ref)
  const selected = [...request.columns.map(selectExpression), ...extra.map((column) => quoteIdentifier(column.name))]
  const text = `SELECT ${FENCE_EXPRESSION}, ${fingerprintExpression(`${quoteLiteral(table)}::pg_catalog.regclass`)}, `
    + `${hasNullTracking(request, table)}, ${isGone(request, cursor, parameters)}${', NULL'.repeat(selected.length)} `
    + `UNION ALL (SELECT ${['NULL', 'NULL', 'NULL::pg_catalog.bool', 'NULL::pg_catalog.bool', ...selected].join(', ')} FROM ${table} AS ${TABLE_ALIAS} `
    + `${where(request, cursor, parameters)} ORDER BY ${orderBy(cursor.order)} LIMIT ${Math.trunc(request.limit)})`
  return { text, parameters, cursor, extra }
}

function where(request: ReadRowsRequest, cursor: CursorColumns, parameters: readonly string[]): string {
  const conditions: string[] = []
  const { tracking } = request
  if (tracking !== undefined && request.nullTracking === true) conditions.push(`${quoteIdentifier(tracking)} IS NULL`)
  // NULLs sort last: without this the last pages would be theirs, and the cursor NULL.
  else if (cursor.tracking?.nullable === true) conditions.push(`${quoteIdentifier(cursor.tracking.name)} IS NOT NULL`)
  // A cursor without key stands before all rows of its tracking value.
  if (parameters.length > 0 && request.after?.key.length === 0) conditions.push(compareRow(cursor.order.slice(0, 1), '>=', 1))
  else if (parameters.length > 0) conditions.push(compareRow(cursor.order, '>', 1))
  return conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
}

function hasNullTracking(request: ReadRowsRequest, table: string): string {
  const column = request.table.columns.find((candidate) => candidate.name === request.tracking)
  if (column?.nullable !== true) return 'false'
  return `EXISTS (SELECT 1 FROM ${table} WHERE ${quoteIdentifier(column.name)} IS NULL)`
}

/**
 * Whether no row is at the cursor itself. Together with an empty page that says that the cursor lies above every row, ties
 * included, for one probe by key; a search for the last row would sort a whole tie at every idle poll.
 */
function isGone(request: ReadRowsRequest, cursor: CursorColumns, parameters: readonly string[]): string {
  if (parameters.length === 0 || request.nullTracking === true) return 'false'
  const columns = cursor.order.slice(0, parameters.length)
  return `NOT EXISTS (SELECT 1 FROM ${quoteTable(request.table.ref)} AS ${TABLE_ALIAS} WHERE ${compareRow(columns, '=', 1)})`
}

function decodeRows(rows: readonly TextRow[], codecs: readonly ColumnCodec[]): RowValues[] {
  return rows.map((row) => codecs.map((codec, i) => {
    const text = row[HEAD_WIDTH + i]
    return text === null || text === undefined ? null : codec(text)
  }))
}

function lastCursor(plan: PagePlan, request: ReadRowsRequest, row: TextRow | undefined): Cursor | undefined {
  if (row === undefined) return undefined
  const last = readCursor(plan.cursor, (column) => {
    const index = cellIndex(request.columns, column)
    return row[HEAD_WIDTH + (index === -1 ? request.columns.length + plan.extra.indexOf(column) : index)] ?? null
  })
  const before = request.after
  if (before !== undefined && before.key.length > 0 && before.tracking === last.tracking && before.key.every((text, i) => text === last.key[i])) {
    throw new TidemarkError('SOURCE_CORRUPT_RESULT', 'A page of the source ends where it began.')
  }
  return last
}

/** Where a cursor column's own text stands among the columns asked for; -1 when it is not there, or is there as something else. */
function cellIndex(columns: readonly ColumnSchema[], column: ColumnSchema): number {
  return columns.findIndex((candidate) => candidate.name === column.name && selectExpression(candidate) === quoteIdentifier(column.name))
}
