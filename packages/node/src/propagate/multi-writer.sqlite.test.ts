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
})
