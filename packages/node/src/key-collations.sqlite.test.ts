import { DatabaseSync } from 'node:sqlite'
import type { ChangeConnection, RowPage, Value } from '@tidemark/core/adapter'
import { expect, it } from 'vitest'
import { nodeSqlite } from './export/node-sqlite.ts'
import { nodeSqliteSource } from './node-sqlite-source.ts'
import { sessionChanges } from './session/session-changes.ts'
import { sqliteChanges } from './sqlite-changes.ts'
import { useFolder } from './test/use-folder.ts'

const path = useFolder()
const KEYS = ['B', 'a', 'A', 'b', 'a ', 'A ', 'c']

interface Pages {
  /** A row a page, behind the place that the page before gave. */
  (after: string | undefined): Promise<{ readonly rows: readonly Value[]; readonly last: string | undefined; readonly isLast: boolean }>
}

async function readAll(pages: Pages): Promise<readonly Value[]> {
  const found: Value[] = []
  let after: string | undefined
  for (let isLast = false; !isLast;) {
    const page = await pages(after)
    found.push(...page.rows)
    // A place that goes back would be read from for ever.
    expect(found.length).toBeLessThanOrEqual(KEYS.length)
    after = page.last ?? after
    isLast = page.isLast
  }
  return found.toSorted()
}

async function source(): Promise<readonly Value[]> {
  const dialect = nodeSqliteSource({ path: path('app.db') })
  await using connection = await dialect.connect()
  const table = await connection.describeTable(dialect.parseTable('t'))
  const columns = table.columns.slice(0, 1)
  let page: RowPage | undefined
  return await readAll(async () => {
    page = await connection.readRows({ table, columns, key: ['id'], limit: 1, after: page?.last })
    return { rows: page.rows.flat(), last: undefined, isLast: page.isLast }
  })
}

async function tracked(): Promise<readonly Value[]> {
  const dialect = nodeSqliteSource({ path: path('app.db') })
  await using connection = await dialect.connect()
  const table = await connection.describeTable(dialect.parseTable('t'))
  const columns = table.columns.slice(0, 1)
  let page: RowPage | undefined
  return await readAll(async () => {
    page = await connection.readRows({ table, columns, key: ['id'], tracking: 'v', limit: 1, after: page?.last })
    return { rows: page.rows.flat(), last: undefined, isLast: page.isLast }
  })
}

async function exported(): Promise<readonly Value[]> {
  const selection = { exclude: [], excludePatterns: [], content: 'all' } as const
  await using connection = await nodeSqlite({ path: path('app.db') }).connectExport()
  const ref = await connection.createView({ viewId: 'one', consistency: 'fuzzy', selection })
  await using view = await connection.openView({ ref, selection, render: { maxStatementBytes: 100_000, keepRowids: false } })
  return await readAll(async (after) => {
    const page = await view.readRows({ table: 0, after, limit: { rows: 1, bytes: 1 } })
    return { rows: page.rows.map(([id]) => id ?? null), last: page.rows.length === 0 ? undefined : page.cursorAfter(page.rows.length - 1), isLast: page.isLast }
  })
}

async function chunks(connection: ChangeConnection): Promise<readonly Value[]> {
  return await readAll(async (after) => {
    const chunk = await connection.readChunk?.({ table: 't', after, limit: { events: 1, bytes: 1e6 } })
    return { rows: chunk?.events.map((event) => ('after' in event ? event.after?.['id'] ?? null : null)) ?? [], last: chunk?.last, isLast: chunk?.isLast ?? true }
  })
}

async function captured(): Promise<readonly Value[]> {
  await using connection = await sqliteChanges({ path: path('app.db') }, { tables: ['t'] }).connect()
  return await chunks(connection)
}

async function recorded(): Promise<readonly Value[]> {
  using database = new DatabaseSync(path('app.db'))
  await using connection = await sessionChanges(database, { tables: ['t'] }).connect()
  return await chunks(connection)
}

const readers = { source, tracked, exported, captured, recorded }
const tables = [
  'id TEXT COLLATE NOCASE, v, PRIMARY KEY(id COLLATE BINARY)',
  'id TEXT COLLATE NOCASE, v, PRIMARY KEY(id COLLATE BINARY DESC)',
  'id TEXT COLLATE RTRIM, v, PRIMARY KEY(id COLLATE NOCASE)',
  'id TEXT, v, PRIMARY KEY(id COLLATE NOCASE)',
  'id TEXT COLLATE NOCASE PRIMARY KEY, v',
]
const cases = tables.flatMap((columns) => ['', ' WITHOUT ROWID'].flatMap((kind) => ['', '; CREATE INDEX other ON t (id)'].flatMap((index) => (
  Object.keys(readers).map((reader) => [reader as keyof typeof readers, `CREATE TABLE t (${columns})${kind}${index}`] as const) // the keys of `readers`
))))

it.each(cases)('%s meets every row of %s', async (reader, sql) => {
  using database = new DatabaseSync(path('app.db'))
  database.exec(`PRAGMA journal_mode = WAL; ${sql}`)
  const insert = database.prepare('INSERT OR IGNORE INTO t VALUES (?, 1)')
  for (const key of KEYS) insert.run(key)
  const expected = database.prepare('SELECT id FROM t').all().map((row) => row['id']).toSorted()
  expect(await readers[reader]()).toEqual(expected)
})
