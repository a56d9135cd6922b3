import { randomInt } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ExportConnection } from '@tidemark/core/adapter'
import { mysqlSource } from '../mysql-source.ts'
import { openTestDatabase, type TestDatabase } from '../test/test-database.ts'
import { makeBank } from './test/bank.ts'
import { ALL, dump, loadWithShell, readBlocks, readDump, RENDER } from './test/dump.ts'
import { exportsUnderWrites } from './test/exports-under-writes.ts'

const SEED = Number(process.env['TIDEMARK_SEED'] ?? randomInt(1 << 30))

let database: TestDatabase
let connection: ExportConnection

beforeAll(() => process.stdout.write(`TIDEMARK_SEED=${SEED}\n`))

beforeEach(async () => {
  database = await openTestDatabase()
  connection = await mysqlSource({ url: database.url }).connectExport()
})

afterEach(async () => {
  await connection[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

const copies: TestDatabase[] = []
afterAll(async () => {
  for (const copy of copies) await copy[Symbol.asyncDispose]()
})

async function restore(sql: Buffer): Promise<TestDatabase> {
  const copy = await openTestDatabase()
  copies.push(copy)
  await loadWithShell(copy.url, copy.name, sql)
  return copy
}

test('what is restored is the database at one instant, whatever was written meanwhile', async () => {
  await exportsUnderWrites({ database, connection, rounds: 12, seed: SEED, restored: async (sql, use) => use(await restore(sql)) })
})

test('a read may be taken up behind any block, in tables with a key, without one and with long values', async () => {
  const { writer } = database
  await writer.query('CREATE TABLE keyed (a VARCHAR(20) CHARACTER SET latin1 NOT NULL, b FLOAT NOT NULL, v LONGTEXT, PRIMARY KEY (a, b)) ENGINE = InnoDB')
  await writer.query('CREATE TABLE bare (v LONGTEXT) ENGINE = InnoDB')
  for (let i = 0; i < 60; i++) {
    const text = i % 9 === 0 ? `long ${i} `.repeat(600) : `short ${i}`
    await writer.query('INSERT INTO keyed VALUES (?, ?, ?)', [`k${i % 7}é`, i / 3, text])
    await writer.query('INSERT INTO bare VALUES (?)', [text])
  }
  const render = { maxStatementBytes: 1500 }
  const { view } = await dump(connection, { render })
  for (const table of [0, 1]) {
    const whole = await readBlocks(view, table, () => 1 << 20)
    expect(whole.length).toBeGreaterThan(20)
    for (let at = 0; at < whole.length; at += 3) {
      const page = await view.readBlocks?.({ table, after: whole[at]?.last, bytes: 1 << 20 })
      expect(page?.blocks.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(whole.slice(at + 1).map(({ bytes }) => Buffer.from(bytes).toString()))
    }
  }
})

test('a scan that is left half read does not cost the snapshot', async () => {
  const { writer } = database
  for (const name of ['first', 'second']) {
    await writer.query(`CREATE TABLE ${name} (id INT PRIMARY KEY AUTO_INCREMENT, v TEXT) ENGINE = InnoDB`)
    await writer.query(`INSERT INTO ${name} (v) VALUES ${Array.from({ length: 100 }, () => `('${'x'.repeat(1000)}')`).join(', ')}`)
    for (let i = 0; i < 7; i++) await writer.query(`INSERT INTO ${name} (v) SELECT v FROM ${name}`)
  }
  const { view, ref } = await dump(connection, { selection: { ...ALL, content: 'schema' } })
  expect(view.plan.sections.map(({ kind }) => kind)).toEqual(['statements', 'statements'])
  await connection.dropView(ref)
  const held = await connection.createView({ viewId: 'held', consistency: 'snapshot', selection: ALL })
  const rows = await connection.openView({ ref: held, selection: ALL, render: RENDER })
  await writer.query('DELETE FROM second')
  const first = await rows.readBlocks?.({ table: 0, bytes: 1000 })
  expect(first?.isLast).toBe(false)
  const other = await readBlocks(rows, 1, () => 1 << 20)
  expect(other.reduce((sum, block) => sum + block.rows, 0)).toBe(12_800)
  // An abort in the middle ends the wait alone.
  const abort = new AbortController()
  abort.abort()
  await expect(rows.readBlocks?.({ table: 0, bytes: 1000, signal: abort.signal })).rejects.toMatchObject({ code: 'ABORTED' })
  expect((await readBlocks(rows, 0, () => 1 << 20)).reduce((sum, block) => sum + block.rows, 0)).toBe(12_800)
})

async function killReaders(): Promise<void> {
  const admin = await database.connectWriter()
  const [found] = await admin.query({ sql: `SELECT id FROM information_schema.processlist WHERE db = '${database.name}' AND id NOT IN (CONNECTION_ID(), ${database.writer.threadId})`, rowsAsArray: true })
  for (const [id] of found as (readonly unknown[])[]) await admin.query(`KILL ${String(id)}`)
}

test('a snapshot whose connection is killed is lost, and another connection never had it', async () => {
  await makeBank(database.writer)
  const { view, ref } = await dump(connection)
  await using other = await mysqlSource({ url: database.url }).connectExport()
  await expect(other.openView({ ref, selection: ALL, render: RENDER })).rejects.toMatchObject({ code: 'SNAPSHOT_LOST' })
  await killReaders()
  await expect(readDump(view)).rejects.toMatchObject({ code: 'SNAPSHOT_LOST' })
  await expect(connection.openView({ ref, selection: ALL, render: RENDER })).rejects.toMatchObject({ code: 'SNAPSHOT_LOST' })
  // Begun anew, it works again.
  expect((await dump(connection)).sql.length).toBeGreaterThan(1000)
})

test('a fuzzy view lasts longer than its connection', async () => {
  await makeBank(database.writer)
  const ref = await connection.createView({ viewId: 'f', consistency: 'fuzzy', selection: ALL })
  const view = await connection.openView({ ref, selection: ALL, render: RENDER })
  await readDump(view)
  await killReaders()
  await using other = await mysqlSource({ url: database.url }).connectExport()
  expect((await readDump(await other.openView({ ref, selection: ALL, render: RENDER }))).length).toBeGreaterThan(1000)
})

test.each([
  'ALTER TABLE mirror ADD COLUMN more INT', 'DROP TABLE mirror', 'TRUNCATE TABLE mirror', 'ALTER TABLE mirror DROP INDEX name',
])('a table that is changed under the snapshot stops the export: %s', async (ddl) => {
  await makeBank(database.writer)
  const ref = await connection.createView({ viewId: 'v', consistency: 'snapshot', selection: ALL })
  const view = await connection.openView({ ref, selection: ALL, render: RENDER })
  // Not held up by the snapshot: it has no lock on the table.
  await database.writer.query(ddl)
  await expect(readDump(view)).rejects.toMatchObject({ code: 'SCHEMA_CHANGED' })
})

test('tables that no snapshot holds still are refused by name, and read when that is asked for', async () => {
  await database.writer.query('CREATE TABLE plain (id INT PRIMARY KEY, v TEXT) ENGINE = MyISAM')
  await database.writer.query('INSERT INTO plain VALUES (1, \'a\')')
  await database.writer.query('CREATE TABLE held (id INT PRIMARY KEY) ENGINE = InnoDB')
  await expect(connection.createView({ viewId: 'v', consistency: 'snapshot', selection: ALL })).rejects.toMatchObject({ code: 'NOT_SUPPORTED', message: expect.stringContaining('plain (MyISAM)') })
  await expect(connection.createView({ viewId: 'v', consistency: 'corrected', selection: ALL })).rejects.toMatchObject({ code: 'NOT_SUPPORTED' })
  expect((await dump(connection, { selection: { ...ALL, exclude: ['plain'] } })).view.plan.tables.map(({ name }) => name)).toEqual(['held'])
  const ref = await connection.createView({ viewId: 'f', consistency: 'fuzzy', selection: ALL })
  const view = await connection.openView({ ref, selection: ALL, render: RENDER })
  expect((await readDump(view)).toString()).toContain('(1,\'a\')')
  expect(view.plan.notes).toContainEqual(expect.stringContaining('Table plain is of engine MyISAM'))
})

test('closing ends every connection', async () => {
  await makeBank(database.writer)
  await dump(connection)
  await connection[Symbol.asyncDispose]()
  const [found] = await database.writer.query(`SELECT COUNT(*) AS n FROM information_schema.processlist WHERE db = '${database.name}' AND id <> CONNECTION_ID()`)
  expect(found).toEqual([{ n: 0 }])
  await expect(connection.createView({ viewId: 'v', consistency: 'snapshot', selection: ALL })).rejects.toMatchObject({ code: 'CLOSED' })
})
