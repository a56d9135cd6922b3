import type {
  ColumnSchema, Cursor, Mark, ReadRowsRequest, RowPage, RowValues, SourceConnection, TableSchema, Value,
} from '@tidemark/core/adapter'
import { cell, rowCells } from '../assert/cell.ts'
import { check } from '../assert/check.ts'
import { defined } from '../assert/defined.ts'
import type { SourceHarness } from '../harness/source-harness.ts'
import { STORAGE_OF_KIND, type CreatedTable, type RowRecord, type TableSpec } from '../harness/table-spec.ts'

/** An open connection with one described table. */
export interface SourceFixture extends AsyncDisposable {
  readonly harness: SourceHarness
  readonly created: CreatedTable
  readonly connection: SourceConnection
  readonly table: TableSchema
}

/** Makes the table, fills it, connects and describes. */
export async function openFixture(harness: SourceHarness, spec: TableSpec, rows: readonly RowRecord[] = []): Promise<SourceFixture> {
  const created = await harness.createTable(spec)
  if (rows.length > 0) await harness.insert(created, rows)
  const connection = await harness.source().connect()
  try {
    const table = await connection.describeTable(created.ref)
    return { harness, created, connection, table, [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose]() }
  } catch (error) {
    await connection[Symbol.asyncDispose]()
    throw error
  }
}

/** A request for all columns in key order, changed as given. */
export function request(fixture: SourceFixture, changes: Partial<ReadRowsRequest> = {}): ReadRowsRequest {
  const { table, created } = fixture
  return { table, columns: table.columns, key: created.spec.key, limit: 1_000, ...changes }
}

export function read(fixture: SourceFixture, changes: Partial<ReadRowsRequest> = {}): Promise<RowPage> {
  return fixture.connection.readRows(request(fixture, changes))
}

/** Page after page until one is empty, each asked for with the last cursor of the one before. */
export async function readPages(fixture: SourceFixture, changes: Partial<ReadRowsRequest>): Promise<readonly RowPage[]> {
  const pages: RowPage[] = []
  let after: Cursor | undefined = changes.after
  for (;;) {
    const page = await read(fixture, { ...changes, after })
    check((page.last === undefined) === (page.rows.length === 0), 'a page has a last cursor exactly when it has rows')
    check(changes.limit === undefined || page.rows.length <= changes.limit, 'a page holds no more rows than the limit')
    if (page.last === undefined) return pages
    // A cursor that stands still would read for ever.
    check(JSON.stringify(page.last) !== JSON.stringify(after), 'every page moves the cursor on')
    pages.push(page)
    // A cursor crosses a restart as text.
    after = throughText(page.last)
  }
}

/** The rows of all pages as lines of cells. */
export async function readAll(fixture: SourceFixture, changes: Partial<ReadRowsRequest>): Promise<readonly string[]> {
  const columns = changes.columns ?? fixture.table.columns
  return (await readPages(fixture, changes)).flatMap((page) => page.rows.map((row) => rowCells(row, columns)))
}

/** Rows of a page as lines of cells. */
export function lines(rows: readonly RowValues[], columns: readonly ColumnSchema[]): readonly string[] {
  return rows.map((row) => rowCells(row, columns))
}

/** What a row of the spec must arrive as, in the order of `names` (default: all columns). */
export function expectedLine(spec: TableSpec, row: RowRecord, names: readonly string[] = spec.columns.map((column) => column.name)): string {
  return names.map((name) => {
    const kind = defined(spec.columns.find((column) => column.name === name), `column ${name}`).kind
    return cell(row[name] ?? null, STORAGE_OF_KIND[kind])
  }).join(' | ')
}

export function expectedLines(spec: TableSpec, rows: readonly RowRecord[], names?: readonly string[]): readonly string[] {
  return rows.map((row) => expectedLine(spec, row, names))
}

export function column(table: TableSchema, name: string): ColumnSchema {
  return defined(table.columns.find((one) => one.name === name), `column ${name} in the description`)
}

export function columnsNamed(table: TableSchema, names: readonly string[]): readonly ColumnSchema[] {
  return names.map((name) => column(table, name))
}

/** The mark that a page leaves behind. */
export function markOf(fixture: SourceFixture, page: { readonly last: Cursor | undefined; readonly fence: string }): Mark {
  return throughText({ cursor: defined(page.last, 'a last cursor'), fence: page.fence, readAtMs: fixture.harness.nowMs() })
}

/** As stored in a checkpoint and read again. */
export function throughText<T>(value: T): T {
  // JSON of the plain data given in gives the same plain data back.
  return JSON.parse(JSON.stringify(value)) as T
}

/** `count` values made from 1, 2, 3 … */
export function times<T>(count: number, make: (number: number) => T): readonly T[] {
  return Array.from({ length: count }, (_empty, index) => make(index + 1))
}

export const EVENTS: TableSpec = {
  name: 'events',
  columns: [
    { name: 'id', kind: 'int' },
    { name: 'seen', kind: 'int', nullable: true },
    { name: 'note', kind: 'text', nullable: true },
  ],
  key: ['id'],
}

export function event(id: number, seen: number | null, note: Value = `note ${id}`): RowRecord {
  return { id, seen, note }
}
