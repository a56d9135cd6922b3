import { existsSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { ReadRowsRequest, RowPage, SourceConnection, TableSchema, Value } from '@tidemark/core/adapter'
import { afterEach, describe, expect, it } from 'vitest'
import { nodeSqliteSource } from './node-sqlite-source.ts'
import { useFolder } from './test/use-folder.ts'

const path = useFolder()
const source = (): ReturnType<typeof nodeSqliteSource> => nodeSqliteSource({ path: path('source.db'), busyTimeoutMs: 20 })
const opened: SourceConnection[] = []

afterEach(async () => {
  for (const connection of opened.splice(0)) await connection[Symbol.asyncDispose]()
})

function write(sql: string, file = 'source.db'): void {
  using database = new DatabaseSync(path(file), { enableForeignKeyConstraints: false })
  database.exec(sql)
}

async function connect(): Promise<SourceConnection> {
  const connection = await source().connect()
  opened.push(connection)
  return connection
}

async function describeTable(name: string, connection?: SourceConnection): Promise<TableSchema> {
  return (connection ?? await connect()).describeTable(source().parseTable(name))
}

async function readAll(connection: SourceConnection, request: Omit<ReadRowsRequest, 'after'>): Promise<readonly RowPage[]> {
  const pages: RowPage[] = []
  while (pages.at(-1)?.isLast !== true) pages.push(await connection.readRows({ ...request, after: pages.at(-1)?.last }))
  return pages
}

describe('describing', () => {
  it('knows a rowid, and that other keys may hold NULLs', async () => {
    write(`CREATE TABLE alias (id INTEGER PRIMARY KEY, n TEXT NOT NULL); CREATE TABLE plain (id TEXT PRIMARY KEY, n);
      CREATE TABLE bare (n); CREATE TABLE fixed (id TEXT PRIMARY KEY, n) WITHOUT ROWID`)
    const connection = await connect()
    const facts = async (name: string): Promise<unknown> => {
      const table = await describeTable(name, connection)
      return [table.key, table.columns.map(({ nullable, storage }) => [nullable, storage])]
    }
    expect(await facts('alias')).toEqual([['id'], [[false, 'integer'], [false, 'text']]])
    expect(await facts('plain')).toEqual([['id'], [[true, 'text'], [true, 'blob']]])
    expect(await facts('fixed')).toEqual([['id'], [[false, 'text'], [true, 'blob']]])
    expect(await facts('bare')).toEqual([[], [[true, 'blob']]])
  })

  it('gives a composite key in key order, indexes without partial and expression ones, and generated columns', async () => {
    write(`CREATE TABLE t (a INT, b INT, c TEXT, d AS (a + b), UNIQUE (c, a), PRIMARY KEY (b, a)); CREATE INDEX i1 ON t (c);
      CREATE INDEX i2 ON t (c) WHERE a > 0; CREATE INDEX i3 ON t (lower(c))`)
    const { key, indexes, columns } = await describeTable('T')
    expect(key).toEqual(['b', 'a'])
    expect(indexes).toEqual([{ columns: ['c', 'a'], unique: true }, { columns: ['c'], unique: false }])
    expect(columns.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('moves the version with a column and not with a row, for a view with the table behind it', async () => {
    write('CREATE TABLE t (a INTEGER PRIMARY KEY); CREATE VIEW v AS SELECT * FROM t')
    const connection = await connect()
    const versions = async (): Promise<readonly string[]> => [(await describeTable('t', connection)).version, (await describeTable('v', connection)).version]
    const before = await versions()
    write('INSERT INTO t VALUES (1)')
    expect(await versions()).toEqual(before)
    write('ALTER TABLE t ADD COLUMN b')
    const [table, view] = await versions()
    expect(table).not.toBe(before[0])
    expect(view).not.toBe(before[1])
  })

  it('does not make a rowid of a key that may hold more than integers', async () => {
    write('CREATE TABLE t (id UUID PRIMARY KEY NOT NULL, at DATETIME)')
    expect((await describeTable('t')).columns.map(({ storage }) => storage)).toEqual(['blob', 'integer'])
  })

  it('takes another meaning of a column, and refuses one that would change what is stored', async () => {
    write('CREATE TABLE t (id INTEGER PRIMARY KEY, flag BOOLEAN, doc TEXT)')
    const connection = await connect()
    const ref = source().parseTable('t')
    const table = await connection.describeTable(ref, { overrides: { flag: { type: 'boolean' }, doc: { type: 'json' } } })
    expect(table.columns.map(({ logicalType, storage }) => [logicalType, storage])).toEqual([['integer', 'integer'], ['boolean', 'integer'], ['json', 'text']])
    await expect(connection.describeTable(ref, { overrides: { doc: { type: 'integer' } } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(connection.describeTable(ref, { overrides: { nope: { type: 'text' } } })).rejects.toMatchObject({ code: 'COLUMN_UNKNOWN' })
  })
})

describe('reading pages', () => {
  const mixed = `CREATE TABLE t (id INTEGER PRIMARY KEY, at); INSERT INTO t (at) VALUES (5), (5.0), ('5'), (x'35'), ('b'), (NULL), ('B'), (-1), (0.5),
    (9223372036854775807), (9223372036854775806), (9.3e18), (9e999), (-9e999), (x''), (''), ('a' || char(0)), ('a'), (5), (-9223372036854775808)`

  it.each([1, 2, 3, 100])('gives every row once in (tracking, key) order, whatever the classes: %i at a time', async (limit) => {
    write(mixed)
    const connection = await connect()
    const table = await describeTable('t', connection)
    const pages = await readAll(connection, { table, columns: table.columns.slice(0, 1), key: ['id'], tracking: 'at', limit })
    using database = new DatabaseSync(path('source.db'))
    const expected = database.prepare('SELECT id FROM t WHERE at IS NOT NULL ORDER BY at, id').all().map((row) => [Object.values(row)[0]])
    expect(pages.flatMap((page) => page.rows)).toEqual(expected)
    expect(pages.every((page) => page.hasNullTracking && !page.cursorAhead)).toBe(true)
  })

  it('reads again from a tracking value when the cursor has no key', async () => {
    write(mixed)
    const connection = await connect()
    const table = await describeTable('t', connection)
    const request = { table, columns: table.columns.slice(0, 1), key: ['id'], tracking: 'at', limit: 4 }
    const page = await connection.readRows({ ...request, after: { tracking: 'i:5', key: [] } })
    expect(page.rows).toEqual([[1], [2], [19], [11]])
  })

  it('gives the rows without a tracking value by themselves', async () => {
    write(mixed)
    const connection = await connect()
    const table = await describeTable('t', connection)
    const page = await connection.readRows({ table, columns: table.columns, key: ['id'], tracking: 'at', nullTracking: true, limit: 10 })
    expect(page).toMatchObject({ rows: [[6, null]], last: { key: ['i:6'] }, isLast: true })
  })

  it('follows the collation of its columns', async () => {
    write('CREATE TABLE t (id TEXT COLLATE NOCASE PRIMARY KEY, at TEXT COLLATE NOCASE); INSERT INTO t VALUES (\'b\', \'X\'), (\'C\', \'x\'), (\'a\', \'y\'), (\'D\', \'W\')')
    const connection = await connect()
    const table = await describeTable('t', connection)
    const pages = await readAll(connection, { table, columns: table.columns.slice(0, 1), key: ['id'], tracking: 'at', limit: 1 })
    expect(pages.flatMap((page) => page.rows)).toEqual([['D'], ['b'], ['C'], ['a']])
  })

  it('says when the cursor is above every row, and when a table is empty', async () => {
    write('CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2)')
    const connection = await connect()
    const table = await describeTable('t', connection)
    const request = { table, columns: table.columns, key: ['id'], tracking: 'id', limit: 5 }
    expect(await connection.readRows({ ...request, after: { tracking: 'i:2', key: ['i:2'] } })).toMatchObject({ rows: [], isLast: true, cursorAhead: false, last: undefined })
    expect(await connection.readRows({ ...request, after: { tracking: 'i:3', key: ['i:3'] } })).toMatchObject({ cursorAhead: true })
    expect(await connection.readHighMark(request)).toMatchObject({ cursor: { tracking: 'i:2', key: ['i:2'] }, hasNullTracking: false })
    write('DELETE FROM t')
    expect(await connection.readHighMark(request)).toMatchObject({ cursor: undefined })
  })

  it('refuses a NULL in the key, and a cursor that is none', async () => {
    write('CREATE TABLE t (id TEXT PRIMARY KEY, at INT); INSERT INTO t VALUES (NULL, 1), (\'a\', 2)')
    const connection = await connect()
    const table = await describeTable('t', connection)
    const request = { table, columns: table.columns, key: ['id'], limit: 5 }
    await expect(connection.readRows({ ...request, tracking: 'at' })).rejects.toMatchObject({ code: 'KEY_REQUIRED' })
    await expect(connection.readRows({ ...request, after: { key: ['a'] } })).rejects.toMatchObject({ code: 'STATE_CORRUPT' })
    await expect(connection.readRows({ ...request, after: { key: ['i:1', 'i:2'] } })).rejects.toMatchObject({ code: 'STATE_CORRUPT' })
  })

  it('reads rows by key, of several columns and classes', async () => {
    write('CREATE TABLE t (a, b TEXT, n INT, PRIMARY KEY (a, b)); INSERT INTO t VALUES (1, \'x\', 10), (\'1\', \'x\', 11), (x\'31\', \'x\', 12), (1, \'y\', 13)')
    const connection = await connect()
    const table = await describeTable('t', connection)
    const read = (keys: readonly (readonly Value[])[]): Promise<unknown> =>
      connection.readRowsByKey({ table, columns: table.columns.slice(2), key: ['a', 'b'], keys })
    expect(await read([[1, 'x'], [new Uint8Array([0x31]), 'x'], [2, 'x']])).toEqual([[10], [12]])
    expect(await read([['1', 'x']])).toEqual([[11]])
    expect(await read([])).toEqual([])
  })
})

describe('texts', () => {
  const bad = 'CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT, n); INSERT INTO t VALUES (1, CAST(x\'61ff62\' AS TEXT), 1), (2, char(0xfffd), 1.0)'

  it('refuses bytes that are no text, or follows the column\'s policy', async () => {
    write(bad)
    const connection = await connect()
    const table = await describeTable('t', connection)
    const read = async (onUnrepresentable: 'error' | 'null' | 'text'): Promise<unknown> => {
      const columns = table.columns.map((column) => ({ ...column, onUnrepresentable }))
      return (await connection.readRows({ table, columns, key: ['id'], limit: 5 })).rows
    }
    await expect(read('error')).rejects.toMatchObject({ code: 'VALUE_UNREPRESENTABLE' })
    expect(await read('null')).toEqual([[1, null, 1n], [2, '\uFFFD', 1]])
    expect(await read('text')).toEqual([[1, 'a\uFFFDb', 1n], [2, '\uFFFD', 1]])
  })

  it('takes a stored replacement character for what it is', async () => {
    write(bad)
    write('DELETE FROM t WHERE id = 1')
    const connection = await connect()
    const table = await describeTable('t', connection)
    expect((await connection.readRows({ table, columns: table.columns, key: ['id'], tracking: 's', limit: 5 })).rows).toEqual([[2, '\uFFFD', 1]])
    expect(await connection.readHighMark({ table, key: ['id'], tracking: 's' })).toMatchObject({ cursor: { tracking: 't:\uFFFD', key: ['i:2'] } })
    expect(await connection.readRowsByKey({ table, columns: table.columns.slice(1), key: ['id'], keys: [[2]] })).toEqual([['\uFFFD', 1]])
  })

  it('reads a database in UTF-16', async () => {
    write('PRAGMA encoding = "UTF-16be"; CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT); INSERT INTO t VALUES (1, \'é😀\' || char(0xfffd))')
    const connection = await connect()
    const table = await describeTable('t', connection)
    expect((await connection.readRows({ table, columns: table.columns, key: ['id'], limit: 5 })).rows).toEqual([[1, 'é😀\uFFFD']])
  })
})

describe('failing', () => {
  it('names an unknown table or column, also one that goes between two reads, and stays usable', async () => {
    write('CREATE TABLE t (id INTEGER PRIMARY KEY, a)')
    const connection = await connect()
    await expect(describeTable('nope', connection)).rejects.toMatchObject({ code: 'TABLE_UNKNOWN' })
    const table = await describeTable('t', connection)
    const request = { table, columns: table.columns, key: ['id'], limit: 5 }
    await expect(connection.readRows({ ...request, tracking: 'nope' })).rejects.toMatchObject({ code: 'COLUMN_UNKNOWN' })
    write('ALTER TABLE t DROP COLUMN a')
    await expect(connection.readRows(request)).rejects.toMatchObject({ code: 'COLUMN_UNKNOWN' })
    write('DROP TABLE t')
    await expect(connection.readRows(request)).rejects.toMatchObject({ code: 'TABLE_UNKNOWN' })
    write('CREATE TABLE t (id INTEGER PRIMARY KEY, a)')
    expect((await connection.readRows(request)).rows).toEqual([])
  })

  it('is SOURCE_UNREACHABLE without a file, and makes none', async () => {
    await expect(source().connect()).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' })
    expect(existsSync(path('source.db'))).toBe(false)
  })

  it('is SOURCE_FAILED for a file that is no database', async () => {
    writeFileSync(path('source.db'), 'not a database, but long enough to be taken for one '.repeat(40))
    await expect(source().connect()).rejects.toMatchObject({ code: 'SOURCE_FAILED', detail: 'SQLITE 26' })
  })

  it('is SOURCE_BUSY while another connection holds the file for itself', async () => {
    write('CREATE TABLE t (id INTEGER PRIMARY KEY)')
    const connection = await connect()
    const table = await describeTable('t', connection)
    using other = new DatabaseSync(path('source.db'))
    other.exec('BEGIN EXCLUSIVE')
    const read = (): Promise<RowPage> => connection.readRows({ table, columns: table.columns, key: ['id'], limit: 5 })
    await expect(read()).rejects.toMatchObject({ code: 'SOURCE_BUSY' })
    other.exec('ROLLBACK')
    expect((await read()).rows).toEqual([])
  })

  it('is CLOSED after it was disposed and ABORTED at the signal', async () => {
    write('CREATE TABLE t (id INTEGER PRIMARY KEY)')
    const connection = await connect()
    const table = await describeTable('t', connection)
    const request = { table, columns: table.columns, key: ['id'], limit: 5 }
    await expect(connection.readRows({ ...request, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
    expect((await connection.readRows(request)).rows).toEqual([])
    await connection[Symbol.asyncDispose]()
    await expect(connection.readRows(request)).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('splits names as they are written', () => {
    const { parseTable } = source()
    expect([parseTable('t'), parseTable('main.t'), parseTable('"a.b"')]).toEqual([{ schema: 'main', name: 't' }, { schema: 'main', name: 't' }, { schema: 'main', name: 'a.b' }])
    for (const name of ['', 'a.b.c', 'a\0', '"a']) expect(() => parseTable(name)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})
