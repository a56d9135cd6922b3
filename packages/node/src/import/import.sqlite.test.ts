import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { gzipSync } from 'node:zlib'
import { Exporter, Importer, TidemarkError, verifyDump, type ExportRequest, type ImportStatus } from '@tidemark/core'
import type { ImportConnection, ImportTarget } from '@tidemark/core/adapter'
import { memoryStateStore } from '@tidemark/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nodeSqlite } from '../export/node-sqlite.ts'
import { fsStorage } from '../storage/fs-storage.ts'
import { HOSTILE, TABLES } from '../test/hostile-schema.ts'
import { cells, definitions } from '../test/stored-cells.ts'

let folder: string
let path: string
let copy: string
let dumps: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-import-'))
  path = join(folder, 'app.db')
  copy = join(folder, 'copy.db')
  dumps = join(folder, 'dumps')
  mkdirSync(dumps)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function make(file: string, ...statements: readonly string[]): void {
  const database = new DatabaseSync(file, { enableForeignKeyConstraints: false })
  for (const statement of statements) database.exec(statement)
  database.close()
}

async function dump(request: ExportRequest = {}): Promise<string> {
  await using exporter = new Exporter({ source: nodeSqlite({ path }), storage: fsStorage(dumps), state: memoryStateStore() })
  const { id } = await exporter.start({ fileName: 'dump', ...request })
  await exporter.finish(id)
  return id
}

function importer(): Importer {
  return new Importer({ source: fsStorage(dumps), target: nodeSqlite({ path: copy }) })
}

function query(file: string, sql: string): string {
  return execFileSync('sqlite3', [file, sql], { encoding: 'utf8' }).trim()
}

function sameCells(): void {
  for (const table of TABLES) expect({ table, cells: cells(copy, table) }).toEqual({ table, cells: cells(path, table) })
  expect(definitions(copy)).toEqual(definitions(path))
}

describe('a dump that is loaded', () => {
  it.each([
    ['UTF-8', {}], ['UTF-16le', {}], ['UTF-8', { layout: 'directory', compression: 'gzip' }], ['UTF-8', { partBytes: 4_096, maxStatementBytes: 1_000 }],
  ] as const)('gives every cell back, with its type (%s, %o)', async (encoding, request) => {
    make(path, `PRAGMA encoding = '${encoding}'`, HOSTILE)
    const id = await dump(request)
    const status = await importer().load(id)
    expect(status).toMatchObject({ importId: id, status: 'completed', notes: [] })
    expect(status.bytes).toBe(status.totalBytes)
    sameCells()
    expect(query(copy, `SELECT (SELECT user_version FROM pragma_user_version), (SELECT group_concat(rowid) FROM notes('text OR another'))`)).toBe('42|7,9')
    await expect(verifyDump({ storage: fsStorage(dumps), id, mode: 'deep', against: nodeSqlite({ path: copy }) })).resolves.toMatchObject({ ok: true })
  })

  it('leaves nothing of its own behind, and is not loaded twice', async () => {
    make(path, 'CREATE TABLE t(a); INSERT INTO t VALUES (1)')
    const id = await dump()
    await importer().load(id)
    expect(query(copy, 'SELECT group_concat(name) FROM sqlite_schema')).toBe('t')
    await expect(importer().load(id)).rejects.toMatchObject({ code: 'TARGET_NOT_OWNED' })
    expect(query(copy, 'SELECT count(*) FROM t')).toBe('1')
  })

  it('adds to what is there when it holds rows only', async () => {
    make(path, 'CREATE TABLE t(id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 1)')
    make(copy, 'CREATE TABLE t(id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (2, 2)')
    await importer().load(await dump({ content: 'data' }))
    expect(query(copy, 'SELECT group_concat(id) FROM t')).toBe('1,2')
  })

  it('says which foreign keys have no row, as the database that was dumped had it', async () => {
    make(path, 'CREATE TABLE parent(id INTEGER PRIMARY KEY); CREATE TABLE child(p REFERENCES parent(id)); INSERT INTO child VALUES (1), (2), (NULL)')
    await expect(importer().load(await dump())).resolves.toMatchObject({ notes: [`2 rows of 'child' refer to rows of 'parent' that are not there.`] })
  })

  it('goes on slice by slice, with another importer each time', async () => {
    make(path, HOSTILE)
    const id = await dump({ layout: 'directory' })
    const seen: ImportStatus[] = []
    for (let isDone = false; !isDone;) {
      const { done, status } = await importer().step(id, { budgetMs: 0 })
      seen.push(status)
      isDone = done
      // What the target holds; of one that is complete, nothing any more.
      expect(await importer().status(id)).toMatchObject(done ? { rows: 0, bytes: 0, totalBytes: status.totalBytes } : status)
    }
    expect(seen.length).toBeGreaterThan(4)
    expect(seen.map(({ bytes }) => bytes)).toEqual(seen.map(({ bytes }) => bytes).toSorted((a, b) => a - b))
    sameCells()
  })

  it('is loaded by one of two that try at a time', async () => {
    make(path, HOSTILE)
    const id = await dump({ layout: 'directory' })
    const first = importer().run(id)[Symbol.asyncIterator]()
    await first.next()
    await importer().step(id, { budgetMs: 0 })
    await expect(first.next()).rejects.toMatchObject({ code: 'LEASE_LOST' })
    await importer().load(id)
    sameCells()
  })
})

it('leaves a dump alone that another process has loaded to its end while a slice was tried again', async () => {
  make(path, 'CREATE TABLE t(a)', `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO t SELECT i FROM n`)
  // Nothing of it refuses a row that comes twice.
  make(copy, 'CREATE TABLE t(a)')
  const id = await dump({ content: 'data', layout: 'directory', partBytes: 4_096, maxStatementBytes: 1_000 })
  const target = nodeSqlite({ path: copy })
  let slices = 0
  const connectImport: ImportTarget['connectImport'] = async (options) => {
    const connection = await target.connectImport(options)
    const runStatements: ImportConnection['runStatements'] = async (request) => {
      slices += 1
      if (slices !== 3) return connection.runStatements(request)
      await importer().load(id)
      throw new TidemarkError('TARGET_BUSY', 'Another process writes.')
    }
    return {
      runStatements,
      readProgress: (...args) => connection.readProgress(...args), existing: (...args) => connection.existing(...args), createTable: (...args) => connection.createTable(...args),
      insertRows: (...args) => connection.insertRows(...args), finish: (...args) => connection.finish(...args), [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
    }
  }
  const slow = new Importer({ source: fsStorage(dumps), target: { ...target, connectImport }, retry: { baseMs: 1, maxMs: 1 } })
  await expect(slow.load(id)).rejects.toMatchObject({ code: 'LEASE_LOST' })
  expect(query(copy, 'SELECT count(*), count(DISTINCT a) FROM t')).toBe('3000|3000')
})

it('leaves a dump alone whose end came between looking and loading', async () => {
  make(path, 'CREATE TABLE t(a)', 'INSERT INTO t VALUES (1), (2)')
  make(copy, 'CREATE TABLE t(a)')
  const id = await dump({ content: 'data' })
  await importer().load(id)
  await expect(importer().load(id, { hasBegun: true })).rejects.toMatchObject({ code: 'LEASE_LOST' })
  await expect(importer().step(id, { hasBegun: true })).rejects.toMatchObject({ code: 'LEASE_LOST' })
  expect(query(copy, 'SELECT count(*) FROM t')).toBe('2')
})

describe('a file of SQL', () => {
  const load = (name = 'dump.sql'): Promise<ImportStatus> => importer().load({ sql: name })

  it.each(['dump.sql', 'dump.sql.gz'])('that sqlite3 wrote is loaded as its shell would (%s)', async (name) => {
    // Its dumps lose what stands behind a NUL, and older ones the last digits of doubles: that table is for our own dumps.
    make(path, HOSTILE, 'DELETE FROM v WHERE id > 5')
    const sql = execFileSync('sqlite3', [path, '.dump'])
    writeFileSync(join(dumps, name), name.endsWith('.gz') ? gzipSync(sql) : sql)
    const reference = join(folder, 'reference.db')
    execFileSync('sqlite3', [reference], { input: sql })
    await load(name)
    for (const table of TABLES) expect({ table, cells: cells(copy, table) }).toEqual({ table, cells: cells(reference, table) })
    expect(definitions(copy)).toEqual(definitions(reference))
    expect(query(copy, `SELECT group_concat(rowid) FROM notes('text OR another')`)).toBe('7,9')
  })

  it('goes on at the statement where it stopped', async () => {
    const rows = Array.from({ length: 40 }, (_, index) => `INSERT INTO t VALUES (${index}, '${'x;'.repeat(300_000)}');`)
    writeFileSync(join(dumps, 'dump.sql'), ['CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT);', ...rows].join('\n'))
    let steps = 1
    while (!(await importer().step({ sql: 'dump.sql' }, { budgetMs: 0 })).done) steps += 1
    expect(steps).toBeGreaterThan(2)
    expect(query(copy, 'SELECT count(*), min(length(a)) FROM t')).toBe('40|600000')
  })

  it.each([
    ['a statement that fails', 'CREATE TABLE t(a UNIQUE);\n\nINSERT INTO t VALUES (\'secret\');\n-- again\nINSERT INTO t\nVALUES (\'secret\');\n', 5],
    ['a syntax error', 'CREATE TABLE t(a);\nINSERT INTO t VALUES (\'a\nsecret\');\nSELEC 1;', 4],
    ['a statement that is cut short', 'CREATE TABLE t(a);\nINSERT INTO t VALUES (\'secret', 2],
    ['another database', 'CREATE TABLE t(a);\nATTACH \'secret.db\' AS other;', 2],
    ['the end of a dump that did not succeed', 'BEGIN;\nCREATE TABLE t(a);\nROLLBACK; -- due to errors\n', 3],
    ['a NUL', 'CREATE TABLE t(a);\nINSERT INTO t VALUES (\'secret\0\');', 2],
  ])('with %s names the line, and nothing of that slice is kept', async (_, sql, line) => {
    writeFileSync(join(dumps, 'dump.sql'), sql)
    const error: unknown = await load().catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'STATEMENT_FAILED', detail: `dump.sql:${line}` })
    expect(JSON.stringify(error) + String(error)).not.toContain('secret')
    expect(query(copy, 'SELECT count(*) FROM sqlite_schema')).toBe('0')
  })

  it('that is no UTF-8, or is not there, is refused', async () => {
    writeFileSync(join(dumps, 'dump.sql'), Buffer.concat([Buffer.from('CREATE TABLE t(a);\nINSERT INTO t VALUES (\''), Buffer.of(0xff), Buffer.from('\');')]))
    await expect(load()).rejects.toMatchObject({ code: 'STATEMENT_FAILED', detail: 'dump.sql:2' })
    await expect(load('none.sql')).rejects.toMatchObject({ code: 'OBJECT_UNKNOWN' })
  })

  it('that has changed since is not gone on with', async () => {
    writeFileSync(join(dumps, 'dump.sql'), `CREATE TABLE t(a);\n${`INSERT INTO t VALUES ('${'x'.repeat(900_000)}');\n`.repeat(20)}`)
    await importer().step({ sql: 'dump.sql' }, { budgetMs: 0 })
    writeFileSync(join(dumps, 'dump.sql'), 'CREATE TABLE t(a);')
    await expect(load()).rejects.toMatchObject({ code: 'DUMP_CORRUPT' })
  })
})

describe('a dump that is broken', () => {
  async function loaded(breaking: (object: string) => void, request: ExportRequest = {}): Promise<unknown> {
    make(path, HOSTILE)
    const id = await dump({ layout: 'directory', ...request })
    const files = readdirSync(join(dumps, id), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.sql')).toSorted()
    breaking(join(dumps, id, files[0] ?? ''))
    return importer().load(id).catch((error: unknown) => error)
  }

  it.each([
    ['altered', (file: string) => writeFileSync(file, readFileSync(file, 'utf8').replace('CREATE', 'DELETE'))],
    ['truncated', (file: string) => writeFileSync(file, readFileSync(file).subarray(10))],
    ['missing', (file: string) => rmSync(file)],
  ])('because an object is %s is told by the object\'s name, before anything of it is loaded', async (_, breaking) => {
    await expect(loaded(breaking)).resolves.toMatchObject({ code: 'DUMP_CORRUPT', message: expect.stringContaining('.sql') })
  })

  it('because it did not complete, or is another engine\'s, is not begun', async () => {
    make(path, HOSTILE)
    const id = await dump()
    const manifest = join(dumps, id, 'manifest.json')
    const text = readFileSync(manifest, 'utf8')
    writeFileSync(manifest, text.replace('"dialect": "sqlite"', '"dialect": "mysql"'))
    await expect(importer().load(id)).rejects.toMatchObject({ code: 'DUMP_FOREIGN' })
    rmSync(manifest)
    await expect(importer().load(id)).rejects.toMatchObject({ code: 'DUMP_INCOMPLETE' })
  })

  it('options that are wrong are all told', () => {
    expect((): unknown => Reflect.construct(Importer, [{ source: {}, target: {} }])).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', issues: [expect.objectContaining({ path: 'source' }), expect.objectContaining({ path: 'target' })] }))
  })
})
