import { DatabaseSync } from 'node:sqlite'
import { Propagator, sqlPeer, type ConflictRules } from '@tidemark/core'
import { afterEach, describe, expect, it } from 'vitest'
import { nodeSqlitePropagationTarget } from '../node-sqlite-propagation-target.ts'
import { sqliteChanges } from '../sqlite-changes.ts'
import { cells } from '../test/stored-cells.ts'
import { useFolder } from '../test/use-folder.ts'

const path = useFolder()
const opened: AsyncDisposable[] = []

afterEach(async () => {
  for (const resource of opened.splice(0).toReversed()) await resource[Symbol.asyncDispose]()
})

function run(file: string, sql: string): void {
  const database = new DatabaseSync(path(file), { timeout: 5_000 })
  database.exec(sql)
  database.close()
}

function rows(file: string): readonly unknown[][] {
  const database = new DatabaseSync(path(file), { readOnly: true })
  const found = database.prepare('SELECT id, body, n FROM notes ORDER BY id').all().map((row) => Object.values(row))
  database.close()
  return found
}

const SCHEMA = 'PRAGMA journal_mode = WAL; CREATE TABLE notes (id TEXT NOT NULL PRIMARY KEY, body TEXT, n)'
const RULES: ConflictRules = { conflicts: 'last-writer-wins' }

/** Instances that all write, each with a propagator to those named. */
async function connect(topology: Readonly<Record<string, readonly string[]>>, rules = RULES): Promise<Readonly<Record<string, Propagator>>> {
  const propagators: Record<string, Propagator> = {}
  for (const origin of Object.keys(topology)) await sqliteChanges({ path: path(origin) }, { tables: ['notes'] }).install()
  for (const [origin, names] of Object.entries(topology)) {
    const peers = names.map((name) => sqlPeer(nodeSqlitePropagationTarget({ path: path(name) }), { ...rules, name, origin: name }))
    const propagator = new Propagator({ ...rules, source: sqliteChanges({ path: path(origin) }, { tables: ['notes'] }), origin, peers, target: nodeSqlitePropagationTarget({ path: path(origin) }) })
    opened.push(propagator)
    propagators[origin] = propagator
  }
  return propagators
}

async function settle(propagators: Readonly<Record<string, Propagator>>): Promise<void> {
  for (let round = 0; round < 4; round += 1) for (const propagator of Object.values(propagators)) expect((await propagator.flush()).behind).toEqual([])
}

describe('several writers', () => {
  it('lets the later of two writes of a row win on both', async () => {
    run('a', SCHEMA)
    run('b', SCHEMA)
    const propagators = await connect({ a: ['b'], b: ['a'] })
    await settle(propagators)
    run('a', `INSERT INTO notes VALUES ('1', 'from a', 1), ('2', 'from a', 1)`)
    await settle(propagators)
    run('b', `UPDATE notes SET body = 'from b' WHERE id = '1'`)
    run('a', `UPDATE notes SET body = 'from a again' WHERE id = '2'; INSERT INTO notes VALUES ('3', 'x', 1.5)`)
    await settle(propagators)
    expect(cells(path('b'), 'notes')).toEqual(cells(path('a'), 'notes'))
    // Each writes before it has seen the other's.
    run('a', `UPDATE notes SET body = 'a' WHERE id = '1'; DELETE FROM notes WHERE id = '3'`)
    await propagators['a']?.flush()
    run('b', `UPDATE notes SET body = 'b' WHERE id = '1'; INSERT OR REPLACE INTO notes VALUES ('3', 'back', 2)`)
    await settle(propagators)
    expect(cells(path('b'), 'notes')).toEqual(cells(path('a'), 'notes'))
    const database = new DatabaseSync(path('a'), { readOnly: true })
    expect(database.prepare('SELECT id, body FROM notes ORDER BY id').all().map((row) => Object.values(row))).toEqual([['1', 'b'], ['2', 'from a again'], ['3', 'back']])
    database.close()
  })

  it('merges what was there before', async () => {
    run('a', `${SCHEMA}; INSERT INTO notes VALUES ('1', 'a', 1), ('2', 'only a', 1)`)
    run('b', `${SCHEMA}; INSERT INTO notes VALUES ('1', 'b', 1), ('3', 'only b', 1)`)
    const propagators = await connect({ a: ['b'], b: ['a'] })
    await settle(propagators)
    expect(cells(path('b'), 'notes')).toEqual(cells(path('a'), 'notes'))
    expect(cells(path('a'), 'notes')).toHaveLength(3)
  })

  it('brings no deleted row back by a late update', async () => {
    run('a', `${SCHEMA}; INSERT INTO notes VALUES ('1', 'a', 1)`)
    run('b', SCHEMA)
    const propagators = await connect({ a: ['b'], b: ['a'] })
    await settle(propagators)
    run('b', `UPDATE notes SET body = 'late' WHERE id = '1'`)
    // The clock of the update is read here, that of the deletion behind it.
    await propagators['b']?.stop()
    run('a', `DELETE FROM notes WHERE id = '1'`)
    await settle(propagators)
    expect(cells(path('b'), 'notes')).toEqual(cells(path('a'), 'notes'))
  })

  it('ends in a ring of three', async () => {
    for (const name of ['a', 'b', 'c']) run(name, `${SCHEMA}; INSERT INTO notes VALUES ('${name}', '${name}', 1)`)
    const propagators = await connect({ a: ['b'], b: ['c'], c: ['a'] })
    await settle(propagators)
    for (const name of ['a', 'b', 'c']) run(name, `INSERT INTO notes VALUES ('x', '${name}', 1) ON CONFLICT DO UPDATE SET body = excluded.body; DELETE FROM notes WHERE id = '${name === 'a' ? 'b' : 'q'}'`)
    await settle(propagators)
    expect(cells(path('b'), 'notes')).toEqual(cells(path('a'), 'notes'))
    expect(cells(path('c'), 'notes')).toEqual(cells(path('a'), 'notes'))
  })

  it('lets one of two rows keep a unique value that two instances have given, the same on all', async () => {
    const schema = `${SCHEMA}; CREATE UNIQUE INDEX bodies ON notes (lower(body)) WHERE n > 0; CREATE UNIQUE INDEX numbers ON notes (n)`
    for (const name of ['a', 'b', 'c']) run(name, schema)
    const propagators = await connect({ a: ['b'], b: ['a', 'c'], c: ['b'] })
    await settle(propagators)
    run('a', `INSERT INTO notes VALUES ('1', 'Ada', 1), ('2', 'kept', 2)`)
    await propagators['a']?.flush()
    run('c', `INSERT INTO notes VALUES ('3', 'ADA', 3), ('4', 'free', -4)`)
    await settle(propagators)
    expect(rows('a')).toEqual([['2', 'kept', 2], ['3', 'ADA', 3], ['4', 'free', -4]])
    for (const name of ['b', 'c']) expect(cells(path(name), 'notes')).toEqual(cells(path('a'), 'notes'))
    // The value is free again, and so is the row that has lost it.
    run('b', `UPDATE notes SET body = 'Grace' WHERE id = '3'; INSERT INTO notes VALUES ('1', 'ada', 1)`)
    await settle(propagators)
    expect(rows('a')).toEqual([['1', 'ada', 1], ['2', 'kept', 2], ['3', 'Grace', 3], ['4', 'free', -4]])
    for (const name of ['b', 'c']) expect(cells(path(name), 'notes')).toEqual(cells(path('a'), 'notes'))
  })

  it('exchanges unique values of rows as their writer did', async () => {
    const schema = `${SCHEMA}; CREATE UNIQUE INDEX numbers ON notes (n)`
    for (const name of ['a', 'b']) run(name, `${schema}; INSERT INTO notes VALUES ('1', 'x', 1), ('2', 'y', 2), ('3', 'z', 3)`)
    const propagators = await connect({ a: ['b'], b: ['a'] })
    await settle(propagators)
    run('b', `UPDATE notes SET n = 4, body = 'b' WHERE id = '3'`)
    await propagators['b']?.flush()
    run('a', `BEGIN; UPDATE notes SET n = NULL WHERE id = '1'; UPDATE notes SET n = 1 WHERE id = '2'; UPDATE notes SET n = 2 WHERE id = '1'; INSERT INTO notes VALUES ('5', 'w', 5), ('6', 'v', 6); COMMIT`)
    run('b', `INSERT INTO notes VALUES ('7', 'late', 6)`)
    await propagators['a']?.flush()
    await settle(propagators)
    expect(cells(path('b'), 'notes')).toEqual(cells(path('a'), 'notes'))
    expect(rows('b').filter(([id]) => id !== '6' && id !== '7')).toEqual([['1', 'x', 2], ['2', 'y', 1], ['3', 'b', 4], ['5', 'w', 5]])
    expect(rows('b').filter(([, , n]) => n === 6)).toHaveLength(1)
  })

  it('remembers a row that gave way, however old what it gave way with is', async () => {
    const schema = `${SCHEMA}; CREATE UNIQUE INDEX bodies ON notes (body)`
    run('a', `${schema}; INSERT INTO notes VALUES ('1', 'x', 1)`)
    run('b', `${schema}; INSERT INTO notes VALUES ('2', 'x', 1)`)
    run('d', schema)
    const [toD, back] = [await connect({ a: ['d'] }), await connect({ b: ['a'], d: ['a'] })]
    await toD['a']?.flush()
    await back['b']?.flush()
    run('a', `UPDATE notes SET body = 'z' WHERE id = '2'`)
    const there = await connect({ a: ['b'] })
    await there['a']?.flush()
    await back['d']?.flush()
    for (let round = 0; round < 3; round += 1) for (const propagator of [toD['a'], there['a'], back['b'], back['d']]) await propagator?.flush()
    expect(rows('a')).toEqual([['2', 'z', 1]])
    for (const name of ['b', 'd']) expect(cells(path(name), 'notes')).toEqual(cells(path('a'), 'notes'))
  })

  it.each(['nocase', 'NOCASE', 'rtrim'])('takes keys that its index calls equal for one (%s)', async (collation) => {
    const [one, other] = collation === 'rtrim' ? ['k', 'k '] : ['k', 'K']
    for (const name of ['a', 'b']) run(name, `PRAGMA journal_mode = WAL; CREATE TABLE notes (id TEXT NOT NULL COLLATE ${collation} PRIMARY KEY, body TEXT, n)`)
    const propagators = await connect({ a: ['b'], b: ['a'] })
    await settle(propagators)
    run('a', `INSERT INTO notes VALUES ('${one}', 'a', 1)`)
    await propagators['a']?.flush()
    run('b', `DELETE FROM notes; INSERT INTO notes VALUES ('${other}', 'b', 2)`)
    run('a', `UPDATE notes SET body = 'late'`)
    await settle(propagators)
    expect(cells(path('b'), 'notes')).toEqual(cells(path('a'), 'notes'))
    expect(rows('a')).toHaveLength(1)
  })
})
