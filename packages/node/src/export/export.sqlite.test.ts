import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Exporter, type ExportRequest, type ExportStatus } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fsStorage } from '../storage/fs-storage.ts'
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

/** Every cell, with its type and bytes. */
function cells(file: string, table: string): readonly unknown[] {
  const database = new DatabaseSync(file, { readOnly: true })
  const columns = database.prepare(`SELECT name FROM pragma_table_xinfo(?)`).all(table).map(({ name }) => `"${String(name).replaceAll('"', '""')}"`)
  const select = columns.map((column) => `typeof(${column}), CASE typeof(${column}) WHEN 'text' THEN hex(CAST(${column} AS BLOB)) WHEN 'real' THEN printf('%!.20g', ${column}) ELSE quote(${column}) END`)
  const statement = database.prepare(`SELECT ${select.join(', ')} FROM "${table.replaceAll('"', '""')}" ORDER BY ${columns.map((_, index) => index * 2 + 2).join(', ')}`)
  statement.setReturnArrays(true)
  const rows = statement.all()
  database.close()
  return rows
}

function definitions(file: string): readonly unknown[] {
  const database = new DatabaseSync(file, { readOnly: true })
  const rows = database.prepare(`SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, name`).all()
  database.close()
  return rows
}

const HOSTILE = `
  CREATE TABLE v(id INTEGER PRIMARY KEY, x);
  INSERT INTO v(x) VALUES (NULL), (0), (-0.0), (1), (1.0), (9007199254740993), (9223372036854775807), (-9223372036854775808), (0.1), (1e308), (-1e308), (5e-324),
    (2.2250738585072014e-308), (9e999), (-9e999), (''), ('''; DROP TABLE v; --'), ('a' || char(10) || 'b' || char(13)), ('line\\n'), ('é漢字😀'), (char(0)), ('a' || char(0) || 'b'),
    (CAST(x'41ff42' AS TEXT)), (CAST(x'eda080' AS TEXT)), (char(65533)), (x''), (x'00ff'), (zeroblob(300)), ('1'), ('1.0'), (' 1'), ('NULL'), (9007199254740993.0);
  CREATE TABLE "odd "" name"("a ""b" TEXT, "select" INT, "é" BLOB, "rowid" TEXT);
  INSERT INTO "odd "" name" VALUES ('x', 1, x'00', 'not the row number'), (1, 'one', 1.5, NULL);
  CREATE TABLE affinities(i INT, t TEXT, r REAL, n NUMERIC, b BLOB, d DATETIME);
  INSERT INTO affinities VALUES ('x', 1, 1, '1.50', 'text', '2020-01-01'), (1.5, 1.5, 9007199254740993, 1e20, 5, 7), ('1e3', x'31', 'abc', x'00', NULL, 1.0);
  CREATE TABLE strict_one(id INTEGER PRIMARY KEY, a ANY, r REAL, t TEXT NOT NULL) STRICT;
  INSERT INTO strict_one VALUES (1, 1.0, 1, 'x'), (2, '1', 2.5, ''), (3, x'01', -9e999, 'y');
  CREATE TABLE without_rowid(a TEXT COLLATE NOCASE, b, c, PRIMARY KEY(b, a)) WITHOUT ROWID;
  INSERT INTO without_rowid VALUES ('A', 1, 1), ('b', 1, 2), ('a', 1.5, 3), ('', x'00', 4), ('z', 'text', 5), ('z', '', 6), (char(0), '', 7);
  CREATE TABLE generated(a INT, b INT AS (a * 2) STORED, c TEXT AS ('x' || a), d TEXT DEFAULT 'd');
  INSERT INTO generated(a) VALUES (1), (2), (NULL);
  CREATE TABLE counted(id INTEGER PRIMARY KEY AUTOINCREMENT, x); INSERT INTO counted(x) VALUES (1), (2), (3); DELETE FROM counted WHERE id = 3;
  CREATE TABLE parent(id INTEGER PRIMARY KEY, child REFERENCES child(id)); CREATE TABLE child(id INTEGER PRIMARY KEY, parent REFERENCES parent(id));
  INSERT INTO parent VALUES (1, 1); INSERT INTO child VALUES (1, 1);
  CREATE VIEW seen AS SELECT id, x FROM v WHERE id > (SELECT min(id) FROM counted);
  CREATE TABLE log(x); CREATE TRIGGER seen_insert INSTEAD OF INSERT ON seen BEGIN INSERT INTO log VALUES ('a;b'); SELECT CASE WHEN 1 THEN 2 END; END;
  CREATE TRIGGER counted_insert AFTER INSERT ON counted BEGIN INSERT INTO log VALUES (new.id); END;
  CREATE INDEX partial ON v(x) WHERE x IS NOT NULL; CREATE UNIQUE INDEX expression ON counted(x, abs(id));
  CREATE VIRTUAL TABLE notes USING fts5(title, body); INSERT INTO notes(rowid, title, body) VALUES (7, 'one', 'a text'), (9, 'two', 'another');
  CREATE VIRTUAL TABLE places USING rtree(id, x0, x1); INSERT INTO places VALUES (3, 1, 2);
  CREATE TABLE tmpl_users(a); INSERT INTO tmpl_users VALUES (1); CREATE TABLE empty(a, b);
  PRAGMA user_version = 42; PRAGMA application_id = 7;`

const TABLES = ['v', 'odd " name', 'affinities', 'strict_one', 'without_rowid', 'generated', 'counted', 'parent', 'child', 'log', 'notes', 'places', 'tmpl_users', 'empty', 'sqlite_sequence']

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
})
