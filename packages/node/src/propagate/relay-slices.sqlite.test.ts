import { DatabaseSync } from 'node:sqlite'
import { Propagator, sqlPeer } from '@tidemark/core'
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
  using database = new DatabaseSync(path(file), { timeout: 5_000 })
  database.exec(sql)
}

/** From one instance to another, without copies. */
async function connect(origin: string, name: string, rows = 2): Promise<Propagator> {
  const peer = sqlPeer(nodeSqlitePropagationTarget({ path: path(name) }), { name, origin: name })
  const propagator = new Propagator({ source: sqliteChanges({ path: path(origin) }, { tables: ['users'] }), origin, peers: [peer], snapshot: false, batch: { rows } })
  opened.push(propagator)
  await propagator.flush()
  return propagator
}

function createAll(...files: string[]): void {
  for (const file of files) run(file, 'PRAGMA journal_mode = WAL; CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE)')
}

describe('slices of a log with changes of others', () => {
  it('keeps a transaction that fills a slice apart from the peer\'s that follows it', async () => {
    createAll('a', 'b')
    const [there, back] = [await connect('a', 'b'), await connect('b', 'a')]
    run('b', `INSERT INTO users VALUES (1, 'one'), (2, 'two')`)
    run('a', `INSERT INTO users VALUES (3, 'three')`)
    await there.flush()
    await back.flush()
    expect(cells(path('a'), 'users')).toEqual(cells(path('b'), 'users'))
    expect(cells(path('a'), 'users')).toHaveLength(3)
  })

  it('ends a transaction of which only the mark of its end is left', async () => {
    createAll('a', 'b', 'c')
    const [first, second] = [await connect('a', 'b'), await connect('b', 'c')]
    run('a', `INSERT INTO users VALUES (1, 'one'), (2, 'two'), (3, 'three')`)
    await first.flush()
    await second.flush()
    expect(cells(path('c'), 'users')).toHaveLength(3)
  })
})

describe('changes that come by two ways', () => {
  it('are done again where one way was ahead, through states in which other rows have what must be unique', async () => {
    createAll('a', 'b', 'c', 'd')
    const [ab, ac, bd, cd] = [await connect('a', 'b', 100), await connect('a', 'c', 100), await connect('b', 'd', 100), await connect('c', 'd', 100)]
    run('a', `INSERT INTO users VALUES (1, 'x'), (2, 'two')`)
    run('a', `UPDATE users SET name = 'y' WHERE id = 1; UPDATE users SET name = 'x' WHERE id = 2`)
    await ab.flush()
    await bd.flush()
    run('a', `INSERT INTO users VALUES (3, 'three')`)
    await ac.flush()
    expect((await cd.flush()).reached).toEqual(['d'])
    expect(cd.status().peers[0]?.tables).toEqual({})
    expect(cells(path('d'), 'users')).toEqual(cells(path('a'), 'users'))
  })
})
