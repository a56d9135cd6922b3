import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Exporter, type ExportRequest, type ExportStatus } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fsStorage } from '../storage/fs-storage.ts'
import { HOSTILE, TABLES } from '../test/hostile-schema.ts'
import { cells, definitions } from '../test/stored-cells.ts'
import { nodeSqlite } from './node-sqlite.ts'

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-export-'))
  path = join(folder, 'app.db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function make(...statements: readonly string[]): void {
  const database = new DatabaseSync(path, { enableForeignKeyConstraints: false })
  for (const statement of statements) database.exec(statement)
  database.close()
}

async function dump(request: ExportRequest = {}): Promise<{ readonly status: ExportStatus; readonly sql: string }> {
  await using exporter = new Exporter({ source: nodeSqlite({ path }), storage: fsStorage(join(folder, 'out')), state: memoryStateStore() })
  const { id } = await exporter.start({ fileName: 'dump', ...request })
  const status = await exporter.finish(id)
  return { status, sql: readFileSync(join(folder, 'out', id, 'dump.sql'), 'utf8') }
}

/** Loaded by the engine's own shell, which stops at the first error. */
function load(sql: string): string {
  const copy = join(folder, 'copy.db')
  rmSync(copy, { force: true })
  execFileSync('sqlite3', ['-bail', copy], { input: sql, stdio: ['pipe', 'pipe', 'pipe'] })
  return copy
}

describe('a dump of SQLite', () => {
  it.each(['UTF-8', 'UTF-16le'])('gives every cell back, with its type, through the shell of SQLite (%s)', async (encoding) => {
    make(`PRAGMA encoding = '${encoding}'`, HOSTILE)
    const { sql, status } = await dump({ consistency: 'snapshot' })
    const copy = load(sql)
    for (const table of TABLES) expect({ table, cells: cells(copy, table) }).toEqual({ table, cells: cells(path, table) })
    expect(definitions(copy)).toEqual(definitions(path))
    const facts = `SELECT (SELECT user_version FROM pragma_user_version), (SELECT application_id FROM pragma_application_id), (SELECT group_concat(rowid) FROM notes('text OR another'))`
    expect(execFileSync('sqlite3', [copy, facts], { encoding: 'utf8' })).toBe('42|7|7,9\n')
    expect(status).toMatchObject({ status: 'completed', consistency: 'snapshot', tablesTotal: 14, notes: [] })
  })

  it('gives the same bytes from the live file, when nobody writes', async () => {
    make(HOSTILE)
    expect((await dump({ consistency: 'fuzzy' })).sql).toBe((await dump({ consistency: 'snapshot' })).sql)
  })

  it('writes no statement longer than asked, however long a value is', async () => {
    make('CREATE TABLE long_one(id INTEGER PRIMARY KEY, t TEXT NOT NULL CHECK(length(t) > 0), b BLOB) STRICT',
      `INSERT INTO long_one VALUES (1, 'short', x'01'), (2, replace(hex(zeroblob(9000)), '00', 'é'), zeroblob(20000)), (3, 'a' || char(0) || replace(hex(zeroblob(4000)), '00', 'b'), NULL)`)
    const { sql } = await dump({ maxStatementBytes: 5_000 })
    expect(Math.max(...sql.split(';\n').map((statement) => Buffer.byteLength(statement) + 2))).toBeLessThanOrEqual(5_000)
    const copy = load(sql)
    expect(cells(copy, 'long_one')).toEqual(cells(path, 'long_one'))
    expect(definitions(copy)).toEqual(definitions(path))
  })

  it.each([1_200, 2_389, 2_390, 4_000])('writes no statement longer than asked of a table with long names, and says where none can hold a row (%d bytes)', async (maxStatementBytes) => {
    const columns = Array.from({ length: 30 }, (_, index) => `c${index}_${'n'.repeat(70)}`)
    make(`CREATE TABLE wide(${columns.join(', ')})`, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO wide SELECT ${columns.map(() => '1').join(', ')} FROM n`)
    const dumped = dump({ maxStatementBytes })
    if (maxStatementBytes < 2_390) return await expect(dumped).rejects.toMatchObject({ code: 'VALUE_UNREPRESENTABLE' })
    const { sql } = await dumped
    expect(Math.max(...sql.split(';\n').filter((statement) => statement.includes('INSERT INTO "wide"')).map((statement) => Buffer.byteLength(statement) + 2))).toBeLessThanOrEqual(maxStatementBytes)
    const copy = load(sql)
    expect(cells(copy, 'wide')).toEqual(cells(path, 'wide'))
  })

  it('takes what is selected, by exact name and real pattern', async () => {
    make(HOSTILE)
    const tablesOf = async (request: ExportRequest): Promise<readonly string[]> => [...(await dump(request)).sql.matchAll(/^INSERT INTO "(\w+)"/gm)].map(([, name]) => name ?? '')
    expect(await tablesOf({ tables: ['tmpl_users', { name: 'v', where: 'id > 2 -- all others', limit: 3 }] })).toEqual(['v', 'tmpl_users'])
    expect(await tablesOf({ exclude: ['v', 'tmp__users', /^(?!tmpl_)/] })).toEqual(['tmpl_users'])
    const { sql } = await dump({ tables: [{ name: 'v', where: 'id > 2', limit: 3 }] })
    const copy = load(sql)
    expect(cells(copy, 'v')).toHaveLength(3)
    expect(definitions(copy)).toEqual(definitions(path).filter((entry) => Object(entry).tbl_name === 'v'))
  })

  it('takes definitions only, or rows only', async () => {
    make(HOSTILE)
    const schema = await dump({ content: 'schema' })
    expect(schema.sql).not.toContain('INSERT INTO "')
    const copy = load(schema.sql)
    expect(definitions(copy)).toEqual(definitions(path))
    const { sql } = await dump({ content: 'data', exclude: ['log'] })
    expect(sql).not.toMatch(/^CREATE/m)
    execFileSync('sqlite3', ['-bail', copy], { input: sql })
    for (const table of TABLES.filter((name) => name !== 'log')) expect({ table, cells: cells(copy, table) }).toEqual({ table, cells: cells(path, table) })
  })

  it.each([
    ['a table that is not there', { tables: ['nobody'] }, 'TABLE_UNKNOWN'],
    ['nothing', { exclude: [/./] }, 'NOTHING_SELECTED'],
  ] as const)('refuses %s, and leaves nothing behind', async (_what, request, code) => {
    make(HOSTILE)
    await expect(dump(request)).rejects.toMatchObject({ code })
    expect(readdirSync(folder).filter((name) => name.startsWith('app.db-tidemark'))).toEqual([])
  })

  it('refuses an empty database', async () => {
    make('PRAGMA user_version = 1')
    await expect(dump()).rejects.toMatchObject({ code: 'NOTHING_SELECTED' })
  })

  it('leaves out a virtual table of a module that it does not know, and says so', async () => {
    make('CREATE TABLE t(a)', `CREATE VIRTUAL TABLE terms USING fts5vocab('notes', 'row')`)
    const { status, sql } = await dump()
    expect(status.notes).toEqual([expect.stringContaining(`'terms'`)])
    expect(definitions(load(sql))).toHaveLength(1)
  })

  it('makes an index over another table anew from it', async () => {
    make(`CREATE TABLE doc(id INTEGER PRIMARY KEY, body); INSERT INTO doc VALUES (5, 'hello world'); CREATE VIRTUAL TABLE found USING fts5(body, content='doc', content_rowid='id'); INSERT INTO found(found) VALUES('rebuild')`)
    const copy = load((await dump()).sql)
    expect(execFileSync('sqlite3', [copy, `SELECT rowid FROM found('world')`], { encoding: 'utf8' })).toBe('5\n')
  })

  it('begins anew when the live schema changes', async () => {
    make('CREATE TABLE t(id INTEGER PRIMARY KEY, a)', 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO t SELECT i, hex(randomblob(20)) FROM n')
    await using exporter = new Exporter({ source: nodeSqlite({ path }), storage: fsStorage(join(folder, 'out')), state: memoryStateStore() })
    const { id } = await exporter.start({ consistency: 'fuzzy', fileName: 'dump', partBytes: 20_000, maxStatementBytes: 5_000, budget: { bytes: 1 } })
    await exporter.step(id)
    make('ALTER TABLE t ADD COLUMN b DEFAULT 7')
    await expect(exporter.finish(id)).resolves.toMatchObject({ attempt: 2, totalRowsExported: 3_000 })
    expect(cells(load(readFileSync(join(folder, 'out', id, 'dump.sql'), 'utf8')), 't')).toEqual(cells(path, 't'))
  })

  it('reads keys as they compare, whatever their columns do', async () => {
    const rows = (order: string): string => `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500) ${order}`
    make(
      `CREATE TABLE strict_key(a TEXT COLLATE NOCASE, b INT, PRIMARY KEY(a COLLATE BINARY, b)) WITHOUT ROWID; CREATE TABLE loose_key(a TEXT, b INT, PRIMARY KEY(a COLLATE NOCASE, b)) WITHOUT ROWID;
       CREATE TABLE own_key(a TEXT COLLATE NOCASE, b INT, PRIMARY KEY(a, b)) WITHOUT ROWID`,
      rows(`INSERT INTO strict_key SELECT CASE i % 2 WHEN 0 THEN 'K' ELSE 'k' END, i / 2 FROM n`), rows(`INSERT INTO loose_key SELECT CASE i % 2 WHEN 0 THEN 'K' ELSE 'k' END, i FROM n`),
      'INSERT INTO own_key SELECT * FROM loose_key',
    )
    const { sql, status } = await dump()
    expect(status.totalRowsExported).toBe(4_500)
    const copy = load(sql)
    for (const table of ['strict_key', 'loose_key', 'own_key']) expect(cells(copy, table)).toEqual(cells(path, table))
  })
})
