import { TidemarkError, type Cursor, type ReadRowsRequest, type RowPage } from '@tidemark/core/adapter'
import type { SqliteValue } from '../driver.ts'
import { quote } from '../quote.ts'
import type { ValueForm } from '../capture/value-reading.ts'
import { formOfBytes, isSuspect } from './cell-codec.ts'
import { compareRow, cursorColumns, cursorValues, findColumn, orderBy, type Condition, type CursorColumns } from './cursor-columns.ts'
import { quoteTable } from './quote-text.ts'
import { readCursor, requireKeys } from './read-cursor.ts'
import { RowLayout } from './row-layout.ts'
import type { SourceReader } from './source-reader.ts'
import { versionExpression } from './table-version.ts'

/** Schema version, whether NULLs are tracked, whether the cursor's own row is gone. */
const HEAD_WIDTH = 3
const NEVER: Condition = { text: '0', parameters: [] }

/** A page's statement and where its parts stand in a row. */
interface PagePlan {
  readonly text: string
  readonly parameters: readonly SqliteValue[]
  readonly layout: RowLayout
  readonly cursor: CursorColumns
}

/**
 * One statement, and so one snapshot, for the page and for what the loop must know about it. The head is a row of its
 * own in front of the page: it comes even when the page is empty, and its sub-selects run once. Both are in the same columns, since some hosts give no more than a
 * table may have.
 */
export async function readRows(reader: SourceReader, request: ReadRowsRequest): Promise<RowPage> {
  const { textForm } = reader.host
  const page = await readPage(reader, request, textForm)
  // A replacement character is either one that was stored or bytes that are no text: only the bytes tell.
  return page ?? await readPage(reader, request, formOfBytes(textForm) ?? textForm) ?? corrupt()
}

function corrupt(): never {
  throw new TidemarkError('SOURCE_CORRUPT_RESULT', 'A page of the source has no head or too many rows.')
}

/** `undefined` when strings were asked for and one of them is suspect. */
async function readPage(reader: SourceReader, request: ReadRowsRequest, form: ValueForm): Promise<RowPage | undefined> {
  const plan = await planPage(reader, request, form)
  const [head, ...rows] = await reader.query(request, plan)
  if (head === undefined || rows.length > request.limit) corrupt()
  if (formOfBytes(form) !== undefined && rows.some((row) => row.some(isSuspect))) return undefined
  // The statement found no such table: its version is that of nothing.
  if (head[0] === null) throw new TidemarkError('TABLE_UNKNOWN', `The source has no table or view '${request.table.ref.name}'.`)
  const { layout, cursor } = plan
  if (cursor.key.some((column) => column.nullable)) for (const row of rows) requireKeys(cursor, layout.orderValues(row))
  const end = rows.at(-1)
  return {
    rows: rows.map((row) => layout.values(row)),
    last: end === undefined ? undefined : advanced(request.after, readCursor(cursor, layout.orderValues(end))),
    fence: '',
    // See SqliteSource: there is nothing to wait for beyond the grace, which core has seen to.
    settledMarks: request.marks?.length ?? 0,
    isLast: rows.length < request.limit,
    hasNullTracking: Number(head[1]) === 1,
    cursorAhead: rows.length === 0 && Number(head[2]) === 1,
    schemaVersion: String(head[0]),
  }
}

async function planPage(reader: SourceReader, request: ReadRowsRequest, form: ValueForm): Promise<PagePlan> {
  const nulls = request.nullTracking === true
  const { table: { ref }, key, tracking } = request
  const cursor = cursorColumns({ table: request.table, key, tracking: nulls ? undefined : tracking, collations: await reader.keyCollations(request) })
  const layout = new RowLayout({ columns: request.columns, order: cursor.order, offset: 0, text: await reader.text(form, request) })
  const values = request.after === undefined ? [] : cursorValues(cursor, request.after)
  const gone = isGone(request, cursor, values)
  const wanted = where(request, cursor, values)
  const table = quoteTable(ref)
  const width = Math.max(HEAD_WIDTH, layout.expressions.length)
  const head = named([versionExpression(ref, reader.host), hasNullTracking(request, table), gone.text], width)
  const columns = named(layout.expressions, width)
  const text = `SELECT ${head.join(', ')} UNION ALL SELECT * FROM (SELECT ${columns.join(', ')} FROM ${table} AS s WHERE ${wanted.text} `
    + `ORDER BY ${orderBy(cursor)} LIMIT ${Math.trunc(request.limit)})`
  return { text, parameters: [...gone.parameters, ...wanted.parameters], layout, cursor }
}

/** Numbered aliases: a column may have any name, and some drivers give rows as objects. */
function named(expressions: readonly string[], width: number): readonly string[] {
  return Array.from({ length: width }, (_, index) => `${expressions[index] ?? 'NULL'} AS c${index}`)
}

function where(request: ReadRowsRequest, cursor: CursorColumns, values: readonly SqliteValue[]): Condition {
  const conditions: Condition[] = []
  const { tracking } = request
  if (tracking !== undefined && request.nullTracking === true) conditions.push({ text: `s.${quote(tracking)} IS NULL`, parameters: [] })
  // NULLs sort first: without this the first page would be theirs, and the cursor NULL.
  else if (cursor.tracking?.nullable === true) conditions.push({ text: `s.${quote(cursor.tracking.name)} IS NOT NULL`, parameters: [] })
  // A cursor without key stands before all rows of its tracking value.
  if (values.length > 0 && request.after?.key.length === 0) conditions.push(compareRow(cursor, '>=', values))
  else if (values.length > 0) conditions.push(compareRow(cursor, '>', values))
  if (conditions.length === 0) return { text: '1', parameters: [] }
  return { text: conditions.map((condition) => condition.text).join(' AND '), parameters: conditions.flatMap((condition) => condition.parameters) }
}

function hasNullTracking(request: ReadRowsRequest, table: string): string {
  if (request.tracking === undefined) return '0'
  const column = findColumn(request.table, request.tracking)
  return column.nullable ? `EXISTS (SELECT 1 FROM ${table} AS s WHERE s.${quote(column.name)} IS NULL)` : '0'
}

/** No row at the cursor itself. Together with an empty page that says that the cursor lies above every row, for one probe by key. */
function isGone(request: ReadRowsRequest, cursor: CursorColumns, values: readonly SqliteValue[]): Condition {
  if (values.length === 0 || request.nullTracking === true) return NEVER
  const here = compareRow(cursor, '=', values)
  return { text: `NOT EXISTS (SELECT 1 FROM ${quoteTable(request.table.ref)} AS s WHERE ${here.text})`, parameters: here.parameters }
}

function advanced(before: Cursor | undefined, last: Cursor): Cursor {
  const isSame = before !== undefined && before.key.length > 0 && before.tracking === last.tracking
    && before.key.every((text, index) => text === last.key[index])
  if (isSame) throw new TidemarkError('SOURCE_CORRUPT_RESULT', 'A page of the source ends where it began.')
  return last
}
