import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Exporter, type ExportRequest } from '@tidemark/core'
import { FakeRuntime, memoryStateStore } from '@tidemark/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fsStorage } from '../storage/fs-storage.ts'
import { cells, definitions } from '../test/stored-cells.ts'
import { nodeSqlite } from './node-sqlite.ts'

const first = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)
const ROUNDS = 120

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-corrected-'))
  path = join(folder, 'app.db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const SCHEMA = `PRAGMA journal_mode = WAL;
  CREATE TABLE accounts (id INTEGER PRIMARY KEY, tag TEXT UNIQUE, owner TEXT COLLATE NOCASE, balance, UNIQUE (owner, balance));
  CREATE TABLE numbered (a, b TEXT); CREATE UNIQUE INDEX numbered_b ON numbered (lower(b)) WHERE b IS NOT NULL;
  CREATE TABLE keyed (k TEXT COLLATE NOCASE, n, v BLOB, g AS (n || 'g') UNIQUE, PRIMARY KEY (k, n)) WITHOUT ROWID;
  CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, x); CREATE TABLE log (x);
  CREATE TRIGGER logged AFTER UPDATE ON accounts BEGIN INSERT INTO log VALUES (new.tag); DELETE FROM log WHERE rowid < (SELECT max(rowid) FROM log) - 20; END;
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) INSERT INTO accounts SELECT i, 'tag ' || i, 'owner ' || i % 7, 100 + i FROM n;
  INSERT INTO numbered SELECT id, 'b' || id FROM accounts; INSERT INTO keyed(k, n, v) SELECT 'k' || id % 9, id, x'00ff' FROM accounts; INSERT INTO counted(x) SELECT 1.0 FROM accounts WHERE id < 9`

const TABLES = ['accounts', 'numbered', 'keyed', 'counted', 'log', 'sqlite_sequence']

/** A write of any kind that people make, also those that remove rows for which no trigger fires. */
function write(database: DatabaseSync, random: () => number): void {
  const n = (below: number): number => 1 + Math.floor(random() * below)
  const or = ['', 'OR REPLACE', 'OR IGNORE', 'OR FAIL', 'OR ABORT'][n(5) - 1] ?? ''
  const statements = [
    () => `INSERT ${or} INTO accounts VALUES (${n(90)}, 'tag ${n(90)}', 'Owner ${n(7)}', ${n(200)})`,
    () => `UPDATE ${or} accounts SET tag = 'tag ${n(90)}', balance = balance + 1 WHERE id = ${n(90)}`,
    () => `UPDATE ${or} accounts SET id = ${n(90)} WHERE id = ${n(90)}`,
    () => `UPDATE accounts SET balance = balance + ${n(5)} * (CASE id % 2 WHEN 0 THEN 1.5 ELSE -1 END) WHERE id BETWEEN ${n(60)} AND ${n(90)}`,
    () => `DELETE FROM accounts WHERE id = ${n(90)}`,
    () => `INSERT ${or} INTO numbered VALUES (${n(9)}, 'B${n(90)}')`,
    () => `UPDATE ${or} numbered SET b = 'b${n(90)}' WHERE rowid = ${n(90)}`,
    () => `UPDATE ${or} numbered SET rowid = ${n(120)} WHERE rowid = ${n(90)}`,
    () => `DELETE FROM numbered WHERE rowid = ${n(90)}`,
    () => `INSERT ${or} INTO keyed(k, n, v) VALUES ('K${n(9)}', ${n(90)}, 'text')`,
    () => `UPDATE ${or} keyed SET k = upper(k), n = ${n(90)}, v = NULL WHERE n = ${n(90)}`,
    () => `INSERT INTO keyed(k, n, v) VALUES ('k${n(9)}', ${n(90)}, 1) ON CONFLICT DO UPDATE SET v = excluded.v || v`,
    () => `DELETE FROM keyed WHERE n % 10 = ${n(9)} AND n > ${n(120)}`,
    () => `INSERT INTO counted(x) VALUES (${n(9)})`,
    () => `DELETE FROM counted WHERE id = (SELECT max(id) FROM counted)`,
  ]
  try {
    database.exec((statements[n(statements.length) - 1] ?? (() => ''))())
  } catch (error) {
    // A constraint of the user's, and nothing else: no write may fail by what the export put there.
    expect(String(error)).toMatch(/UNIQUE constraint failed: (accounts|numbered|keyed|index)/)
  }
}

function load(id: string): string {
  const copy = join(folder, 'copy.db')
  rmSync(copy, { force: true })
  execFileSync('sqlite3', ['-bail', copy], { input: readFileSync(join(folder, 'out', id, 'dump.sql')) })
  return copy
}

const REQUEST: ExportRequest = { consistency: 'corrected', fileName: 'dump', partBytes: 1_200, maxStatementBytes: 1_000, budget: { bytes: 1 } }

describe('a corrected export', () => {
  it(`is the database at the instant when it began, whatever is written meanwhile (${ROUNDS} histories)`, { timeout: 240_000 }, async () => {
    process.stdout.write(`corrected: SEED=${first}\n`)
    for (let round = 0; round < ROUNDS; round += 1) {
      const runtime = new FakeRuntime({ seed: first + round })
      const random = (): number => runtime.random()
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
      using database = new DatabaseSync(path)
      database.exec(SCHEMA)
      if (round % 3 === 0) database.exec('PRAGMA recursive_triggers = ON')
      for (let count = 0; count < 10; count += 1) write(database, random)
      const state = memoryStateStore()
      const open = (): Exporter => new Exporter({ source: nodeSqlite(database), storage: fsStorage(join(folder, 'out')), state, instance: 'one' })
      const { id } = await open().start(REQUEST)
      // The first step fixes the instant; every other one is another process's.
      await open().step(id)
      const before = join(folder, 'before.db')
      rmSync(before, { force: true })
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      copyFileSync(path, before)
      for (let isDone = false; !isDone;) {
        for (let count = Math.floor(random() * 12); count > 0; count -= 1) write(database, random)
        await using exporter = open()
        isDone = (await exporter.step(id)).done
      }
      const copy = load(id)
      for (const table of TABLES) expect({ round, table, cells: cells(copy, table) }).toEqual({ round, table, cells: cells(before, table) })
      // Nothing is left in the database.
      expect(definitions(path)).toEqual(definitions(copy))
    }
  })

  it('costs nobody a write that was allowed, and keeps long values, conditions and limits', async () => {
    using database = new DatabaseSync(path)
    database.exec(`CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) INSERT INTO t SELECT i, printf('%.*c', i * 100, 'x') FROM n`)
    await using exporter = new Exporter({ source: nodeSqlite(database), storage: fsStorage(join(folder, 'out')), state: memoryStateStore() })
    const { id } = await exporter.start({ ...REQUEST, tables: [{ name: 't', where: `id > '5' -- all others`, limit: 40 }] })
    await exporter.step(id)
    database.exec(`DELETE FROM t WHERE id % 2 = 0; UPDATE t SET v = 'changed'; INSERT INTO t SELECT id + 1000, 'new' FROM t`)
    await exporter.finish(id)
    expect(execFileSync('sqlite3', [load(id), 'SELECT count(*), min(id), max(id), sum(length(v)) FROM t'], { encoding: 'utf8' })).toBe(`40|6|45|${100 * (6 + 45) * 20}\n`)
  })

  it.each(['csv', 'ndjson'] as const)('is the same in rows (%s)', async (format) => {
    using database = new DatabaseSync(path)
    database.exec(SCHEMA)
    const dump = async (work: () => void, consistency: 'corrected' | 'snapshot'): Promise<readonly string[]> => {
      await using exporter = new Exporter({ source: nodeSqlite(database), storage: fsStorage(join(folder, 'out')), state: memoryStateStore() })
      const { id } = await exporter.start({ ...REQUEST, format, consistency, tables: ['accounts', 'keyed'], layout: 'directory' })
      await exporter.step(id)
      work()
      await exporter.finish(id)
      return ['rows/0001-accounts-000001', 'rows/0002-keyed-000001'].map((name) => readFileSync(join(folder, 'out', id, `${name}.${format}`), 'utf8'))
    }
    const reference = await dump(() => undefined, 'snapshot')
    expect(await dump(() => database.exec(`UPDATE accounts SET balance = balance + 1000.5, id = id + 500; DELETE FROM keyed; INSERT INTO keyed(k, n) VALUES ('new', 1)`), 'corrected')).toEqual(reference)
  })

  it('begins anew when a table is dropped and made again, though it looks the same', async () => {
    using database = new DatabaseSync(path)
    database.exec(SCHEMA)
    await using exporter = new Exporter({ source: nodeSqlite(database), storage: fsStorage(join(folder, 'out')), state: memoryStateStore() })
    const { id } = await exporter.start({ ...REQUEST, tables: ['accounts', 'counted'] })
    for (let step = 0; step < 2; step += 1) await exporter.step(id)
    database.exec('DROP TABLE counted; CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, x); INSERT INTO counted(x) VALUES (7)')
    expect(await exporter.finish(id)).toMatchObject({ status: 'completed', attempt: 2 })
    expect(execFileSync('sqlite3', [load(id), 'SELECT x FROM counted'], { encoding: 'utf8' })).toBe('7\n')
  })

  it('leaves nothing behind when it is cancelled, and refuses what takes no triggers', async () => {
    using database = new DatabaseSync(path)
    database.exec(`${SCHEMA}; CREATE VIRTUAL TABLE notes USING fts5(a)`)
    const before = definitions(path)
    await using exporter = new Exporter({ source: nodeSqlite(database), storage: fsStorage(join(folder, 'out')), state: memoryStateStore() })
    const { id } = await exporter.start({ ...REQUEST, exclude: ['notes'] })
    for (let step = 0; step < 3; step += 1) await exporter.step(id)
    expect(definitions(path).length).toBeGreaterThan(before.length)
    await exporter.cancel(id)
    await exporter.step(id)
    expect(definitions(path)).toEqual(before)
    const refused = await exporter.start(REQUEST)
    await expect(exporter.finish(refused.id)).rejects.toMatchObject({ code: 'NOT_SUPPORTED', message: expect.stringContaining('notes') })
  })
})
