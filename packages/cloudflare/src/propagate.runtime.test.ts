import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startWorker, type StartedWorker } from './test/start-worker.ts'

let worker: StartedWorker
beforeEach(async () => {
  worker = await startWorker('propagate-worker.ts', { durableObjects: { OBJECTS: { className: 'PropagateObject', useSQLite: true } }, d1Databases: ['D1'] })
})
afterEach(() => worker[Symbol.asyncDispose]())

type Place = 'source' | 'replica' | 'd1'
const REPLICAS = ['replica', 'd1'] as const

async function ask(place: Place, action: string, body = ''): Promise<unknown> {
  const response = await worker.runtime.dispatchFetch(`http://worker/${place}/${action}`, { method: 'POST', body })
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  return JSON.parse(text) as unknown
}

async function on(place: Place, ...statements: string[]): Promise<void> {
  for (const sql of statements) await ask(place, 'sql', sql)
}

/** Every cell exactly: its class, its digits or bytes, and a double as itself. */
function exact(table: string, columns: readonly string[]): string {
  const cells = columns.map((column) => `typeof(${column}) || ' ' || CASE typeof(${column}) WHEN 'real' THEN printf('%!.20g', ${column}) ELSE hex(CAST(${column} AS BLOB)) END`)
  return `SELECT ${cells.map((cell, index) => `${cell} AS c${index}`).join(', ')} FROM ${table} ORDER BY ${columns[0]}`
}

async function expectSame(table: string, columns: readonly string[]): Promise<void> {
  const rows = await ask('source', 'sql', exact(table, columns))
  for (const place of REPLICAS) expect([place, await ask(place, 'sql', exact(table, columns))]).toEqual([place, rows])
}

const TABLES = [
  'CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, score REAL, photo BLOB, whatever)', 'CREATE TABLE z_parent (id INTEGER PRIMARY KEY, v)',
  'CREATE TABLE a_child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES z_parent (id) ON DELETE CASCADE)',
]
const COLUMNS = ['id', 'name', 'score', 'photo', 'whatever']
const ALL = { reached: ['object', 'd1'], behind: [] }

describe('propagating from a Durable Object to another and to D1', () => {
  it('brings every value exactly', async () => {
    for (const place of ['source', ...REPLICAS] as const) await on(place, ...TABLES)
    await on('source', `INSERT INTO t VALUES (-9223372036854775808, 'é😀', 0.1, x'', 9223372036854775807), (9007199254740993, CAST(x'610062' AS TEXT), 5e-324, x'00ff7f', 1.0)`)
    expect(await ask('source', 'flush')).toMatchObject(ALL)
    await expectSame('t', COLUMNS)
    await on('source', `INSERT INTO t VALUES (1, '', -9e999, NULL, 1), (2, CAST(x'00' AS TEXT), 1.7976931348623157e308, x'00', 9e999), (3, 'x', 3, zeroblob(100000), '9007199254740993'), (4, NULL, 1e22, NULL, 0.1)`)
    await on('source', 'DELETE FROM t WHERE id = 9007199254740993', 'UPDATE t SET id = 70 WHERE id = 2', `REPLACE INTO t (id, name) VALUES (3, 'new')`)
    expect(await ask('source', 'flush')).toMatchObject(ALL)
    await expectSame('t', COLUMNS)
  })

  it('keeps rows that a cascade or a REPLACE would take, and copies tables after those that they refer to', async () => {
    for (const place of ['source', ...REPLICAS] as const) await on(place, ...TABLES)
    await on('source', `INSERT INTO z_parent VALUES (1, 'x'), (2, 'y')`, 'INSERT INTO a_child VALUES (1, 1), (2, 1), (3, 2)')
    for (const place of REPLICAS) await on(place, `INSERT INTO z_parent VALUES (1, 'old'), (7, 'old')`, 'INSERT INTO a_child VALUES (2, 7), (8, 1)')
    expect(await ask('source', 'flush')).toMatchObject(ALL)
    for (const table of ['z_parent', 'a_child'] as const) await expectSame(table, ['id'])
    await on('source', `UPDATE z_parent SET v = 'z' WHERE id = 1`, 'DELETE FROM z_parent WHERE id = 2', `INSERT INTO a_child VALUES (9, NULL)`, 'DELETE FROM a_child WHERE id = 1')
    expect(await ask('source', 'flush')).toMatchObject(ALL)
    await expectSame('z_parent', ['id', 'v'])
    await expectSame('a_child', ['id', 'parent'])
  })

  it('refuses several writers, at once and by code', async () => {
    expect(await ask('replica', 'writers')).toEqual(['NOT_SUPPORTED', 'NOT_SUPPORTED'])
  })

  it('refuses one table whose constraint is in the way, and no other', async () => {
    for (const place of ['source', ...REPLICAS] as const) await on(place, ...TABLES)
    for (const place of REPLICAS) await on(place, 'CREATE UNIQUE INDEX u ON z_parent (v)')
    expect(await ask('source', 'flush')).toMatchObject(ALL)
    await on('source', `INSERT INTO z_parent VALUES (1, 'x')`, `INSERT INTO z_parent VALUES (2, 'x'); INSERT INTO t (id) VALUES (5)`)
    expect(await ask('source', 'flush')).toMatchObject(ALL)
    await expectSame('t', COLUMNS)
    const { peers } = await ask('source', 'status') as { readonly peers: readonly { readonly tables: unknown }[] } // as Propagator has it
    expect(peers.map(({ tables }) => tables)).toMatchObject([{ z_parent: { error: { code: 'TARGET_CONSTRAINT' } } }, { z_parent: { error: { code: 'TARGET_CONSTRAINT' } } }])
  })

  it.each(['write', 'wake'] as const)('goes on behind the answer, by `%s`', async (action) => {
    for (const place of ['source', ...REPLICAS] as const) await on(place, ...TABLES)
    await ask('source', action, `INSERT INTO t (id, name) VALUES (1, 'Ada')`)
    for (const place of REPLICAS) await expect.poll(() => ask(place, 'sql', 'SELECT id, name FROM t'), { timeout: 15_000 }).toEqual([[1, 'Ada']])
  })
})
