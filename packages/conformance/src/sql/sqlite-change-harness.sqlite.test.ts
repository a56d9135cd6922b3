import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { RowValues } from '@tidemark/core/adapter'
import { expect, test } from 'vitest'
import { createHistoryTables, RandomHistory } from '../changes/random-history.ts'
import { Replica } from '../changes/replica.ts'
import type { ChangeHarness } from '../harness/change-harness.ts'
import type { CapturedTable, ChangeStatement } from '../harness/change-spec.ts'
import { memoryChangeSubject } from '../memory/memory-change-subject.ts'
import { sqliteChangeHarness } from './sqlite-change-harness.ts'

async function openHarness(): Promise<ChangeHarness> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-changes-'))
  const [path, copy] = [join(folder, 'data.db'), join(folder, 'copy.db')]
  const open = (): DatabaseSync => {
    const database = new DatabaseSync(path)
    database.exec('pragma journal_mode = wal; pragma synchronous = off')
    return database
  }
  const remove = async (): Promise<void> => {
    for (const suffix of ['', '-wal', '-shm']) await rm(path + suffix, { force: true })
  }
  return sqliteChangeHarness({
    openSession: async () => {
      const database = open()
      return { execute: async (sql) => database.exec(sql), close: async () => database.close() }
    },
    openOracle: async () => {
      const database = open()
      return { query: async (sql) => query(database, sql), close: async () => database.close() }
    },
    source: () => { throw new TypeError('There is no source here.') },
    file: {
      backup: () => copyFile(path, copy),
      restore: async () => {
        await remove()
        await copyFile(copy, path)
      },
      remove,
    },
    dispose: () => rm(folder, { recursive: true }),
  })
}

function query(database: DatabaseSync, sql: string): readonly RowValues[] {
  const statement = database.prepare(sql)
  statement.setReadBigInts(true)
  statement.setReturnArrays(true)
  const rows: readonly unknown[] = statement.all()
  // In this mode every row is an array of the values that SQLite has.
  return rows as readonly RowValues[]
}

const SPEC = {
  name: 'users', key: ['id'], indexes: [{ columns: ['email'], unique: true }, { columns: ['handle'], unique: true }],
  columns: [{ name: 'id', kind: 'int' }, { name: 'email', kind: 'text' }, { name: 'handle', kind: 'int', nullable: true }, { name: 'double', kind: 'int', generated: { storage: 'virtual', twice: 'id' } }],
} as const

function user(id: number, email: string, handle: number | null): { readonly id: number; readonly email: string; readonly handle: number | null } {
  return { id, email, handle }
}

function script(table: CapturedTable): readonly ChangeStatement[] {
  return [
    { kind: 'insert', table, rows: [user(1, 'a', 1), user(2, 'b', 2), user(3, 'c', null), user(4, 'd', 4), user(5, 'e', 5)] },
    { kind: 'insert', table, rows: [user(9, 'n', null), user(1, 'x', null)] },
    { kind: 'insert', table, rows: [user(2, 'bb', 2), user(6, 'f', 6)], onConflict: 'update' },
    { kind: 'insert', table, rows: [user(7, 'a', 7), user(8, 'h', 8)], onConflict: 'ignore' },
    { kind: 'insert', table, rows: [user(1, 'bb', 4)], onConflict: 'replace' },
    { kind: 'update', table, where: { id: 3 }, set: { id: 30, email: 'h' }, orReplace: true },
    { kind: 'update', table, where: { handle: 5 }, set: { handle: null } },
    { kind: 'update', table, where: {}, set: { handle: 1 } },
    { kind: 'delete', table, where: { email: 'f' } },
  ]
}

async function runScript(harness: ChangeHarness): Promise<{ readonly rows: readonly string[]; readonly failed: readonly number[] }> {
  const table = await harness.createTable(SPEC)
  const failed: number[] = []
  for (const [index, statement] of script(table).entries()) await harness.client.run(statement).catch(() => failed.push(index))
  await harness.client.begin()
  await harness.client.savepoint('a')
  await harness.client.run({ kind: 'insert', table, rows: [user(50, 'p', 50)] })
  await harness.client.rollbackTo('a')
  await harness.client.release('a')
  await harness.client.commit()
  return { rows: (await harness.cells(table)).map((row) => row.join(' | ')).toSorted(), failed }
}

test('the statements of the suite do in SQLite what they do in memory', async () => {
  await using sqlite = await openHarness()
  await using memory = await memoryChangeSubject().open()
  const [real, model] = [await runScript(sqlite), await runScript(memory)]
  expect(real).toEqual(model)
  expect(real.failed).toEqual([1, 7])
  expect(real.rows).toEqual([
    'integer:1 | text:"bb" | integer:4 | integer:2', 'integer:30 | text:"h" | null | integer:60', 'integer:5 | text:"e" | null | integer:10',
  ])
})

test('foreign keys, altered tables, other clients, views and virtual tables', async () => {
  await using harness = await openHarness()
  const parents = await harness.createTable({ name: 'parents', columns: [{ name: 'id', kind: 'int' }], key: ['id'] })
  const children = await harness.createTable({
    name: 'children', key: ['id'], columns: [{ name: 'id', kind: 'int' }, { name: 'parent', kind: 'int', nullable: true }],
    parent: { columns: ['parent'], table: 'parents', key: ['id'], onDelete: 'cascade' },
  })
  const other = await harness.openClient?.()
  await other?.run({ kind: 'insert', table: parents, rows: [{ id: 1 }, { id: 2 }] })
  await other?.run({ kind: 'insert', table: children, rows: [{ id: 1, parent: 1 }, { id: 2, parent: 2 }] })
  await other?.run({ kind: 'delete', table: parents, where: { id: 1 } })
  await other?.run({ kind: 'update', table: parents, where: { id: 2 }, set: { id: 3 } })
  expect(await harness.cells(children)).toEqual([['integer:2', 'integer:3']])
  const wider = await harness.alterTable(children, { kind: 'add', column: { name: 'note', kind: 'text' } })
  const renamed = await harness.alterTable(wider, { kind: 'rename', from: 'note', to: 'remark' })
  expect(await harness.cells(renamed)).toEqual([['integer:2', 'integer:3', 'null']])
  const before = await harness.schemaDigest()
  await harness.createView?.('all children', children)
  await harness.createVirtualTable?.('found')
  expect(await harness.schemaDigest()).not.toBe(before)
  await harness.dropTable(renamed)
})

test('a file that is kept, put back and replaced', async () => {
  await using harness = await openHarness()
  const table = await harness.createTable({ name: 't', columns: [{ name: 'id', kind: 'int' }], key: ['id'] })
  await harness.client.run({ kind: 'insert', table, rows: [{ id: 1 }] })
  await harness.backup?.()
  await harness.client.run({ kind: 'insert', table, rows: [{ id: 2 }] })
  expect(await harness.cells(table)).toEqual([['integer:1'], ['integer:2']])
  await harness.restore?.()
  expect(await harness.cells(table)).toEqual([['integer:1']])
  await harness.replaceDatabase?.()
  expect(await harness.schemaDigest()).toBe('')
})

/** What the tables hold after a history, and nobody has listened. */
async function rowsAfter(harness: ChangeHarness, seed: number): Promise<readonly (readonly string[])[]> {
  // Which of two rows pushes the other out hangs on the order in which they are visited: here, that of the key.
  const tables = await createHistoryTables(harness, true)
  const history = new RandomHistory(harness.client, tables, { seed, steps: 0, replaces: ['insert', 'update'], fails: true, savepoints: true, loose: true })
  for (let step = 0; step < 60; step += 1) await history.step()
  const replica = await Replica.copyOf(harness, tables)
  return tables.map((table) => replica.lines(table))
}

test('random histories end in SQLite as they end in memory', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    await using sqlite = await openHarness()
    await using memory = await memoryChangeSubject().open()
    expect(await rowsAfter(sqlite, seed), `seed ${seed}`).toEqual(await rowsAfter(memory, seed))
  }
})
