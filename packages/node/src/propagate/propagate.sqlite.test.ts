import { copyFileSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { createReceiver, httpPeer, Propagator, sqlPeer } from '@tidemark/core'
import { afterEach, describe, expect, it } from 'vitest'
import { nodeSqlitePropagationTarget } from '../node-sqlite-propagation-target.ts'
import { sqliteChanges } from '../sqlite-changes.ts'
import { cells } from '../test/stored-cells.ts'
import { serveReceiver } from '../test/serve-receiver.ts'
import { useFolder } from '../test/use-folder.ts'

const path = useFolder()
const opened: AsyncDisposable[] = []

afterEach(async () => {
  for (const resource of opened.splice(0).toReversed()) await resource[Symbol.asyncDispose]()
})

function use<T extends AsyncDisposable>(resource: T): T {
  opened.push(resource)
  return resource
}

function run(file: string, sql: string): void {
  const database = new DatabaseSync(path(file), { timeout: 5_000 })
  database.exec(sql)
  database.close()
}

const SCHEMA = 'CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, score REAL, photo BLOB, any)'

describe('propagating', () => {
  it('applies what is written on a peer', async () => {
    run('a', `PRAGMA journal_mode = WAL; ${SCHEMA}; INSERT INTO users VALUES (1, 'Ada', 1.5, x'00ff', 9007199254740993), (2, 'Bob', 9e999, NULL, 1.0)`)
    run('b', SCHEMA)
    const peer = sqlPeer(nodeSqlitePropagationTarget({ path: path('b') }), { name: 'b' })
    const propagator = use(new Propagator({ source: sqliteChanges({ path: path('a') }, { tables: ['users'] }), origin: 'a', peers: [peer] }))
    expect(await propagator.flush()).toEqual({ reached: ['b'], behind: [], nextAtMs: undefined })
    expect(cells(path('b'), 'users')).toEqual(cells(path('a'), 'users'))
    run('a', `UPDATE users SET name = 'Bea' WHERE id = 2; DELETE FROM users WHERE id = 1; INSERT INTO users VALUES (-1, '', -0.0, x'', 'x'); UPDATE users SET id = 7 WHERE id = 2`)
    await propagator.flush()
    expect(cells(path('b'), 'users')).toEqual(cells(path('a'), 'users'))
  })

  it('applies what is written on peers over HTTP, each by itself', async () => {
    run('a', `PRAGMA journal_mode = WAL; ${SCHEMA}`)
    const peers = []
    for (const name of ['b', 'c', 'd']) {
      run(name, SCHEMA)
      const receive = use(createReceiver({ target: nodeSqlitePropagationTarget({ path: path(name) }), authorize: { token: 'letmein' } }))
      peers.push(httpPeer({ url: use(await serveReceiver(receive)).url, token: 'letmein', name }))
    }
    const propagator = use(new Propagator({ source: sqliteChanges({ path: path('a') }, { tables: ['users'] }), origin: 'a', peers }))
    await propagator.start()
    for (let id = 1; id <= 50; id += 1) run('a', `INSERT INTO users (id, name) VALUES (${id}, 'n${id}')`)
    expect((await propagator.flush()).reached).toEqual(['b', 'c', 'd'])
    for (const name of ['b', 'c', 'd']) expect(cells(path(name), 'users')).toEqual(cells(path('a'), 'users'))
  })

  it('captures the tables that it is told, of a source that names none', async () => {
    run('a', `PRAGMA journal_mode = WAL; ${SCHEMA}; INSERT INTO users (id, name) VALUES (1, 'Ada'); CREATE TABLE others (id INTEGER PRIMARY KEY)`)
    run('b', SCHEMA)
    using database = new DatabaseSync(path('a'))
    const peer = sqlPeer(nodeSqlitePropagationTarget({ path: path('b') }), { name: 'b' })
    const propagator = use(new Propagator({ source: sqliteChanges(database), origin: 'a', tables: ['users'], peers: [peer] }))
    await propagator.flush()
    expect(cells(path('b'), 'users')).toEqual(cells(path('a'), 'users'))
    expect((await sqliteChanges(database).status()).tables.map(({ name }) => name)).toEqual(['users'])
  })

  it('is refused a source that names no table where none is captured, and leaves nothing in the database', async () => {
    run('a', SCHEMA)
    const source = sqliteChanges({ path: path('a') })
    await expect(source.install()).rejects.toMatchObject({ code: 'TABLE_UNKNOWN' })
    const propagator = use(new Propagator({ source, origin: 'a', peers: [sqlPeer(nodeSqlitePropagationTarget({ path: path('b') }), { name: 'b' })] }))
    await expect(propagator.flush()).rejects.toMatchObject({ code: 'TABLE_UNKNOWN' })
    using database = new DatabaseSync(path('a'))
    expect(database.prepare('SELECT name FROM sqlite_schema').all()).toEqual([{ name: 'users' }])
  })

  it('takes only the tables that the receiver names', async () => {
    run('a', `PRAGMA journal_mode = WAL; ${SCHEMA}; CREATE TABLE secrets (id INTEGER PRIMARY KEY, t TEXT); INSERT INTO users (id) VALUES (1); INSERT INTO secrets VALUES (1, 'x')`)
    run('b', `${SCHEMA}; CREATE TABLE secrets (id INTEGER PRIMARY KEY, t TEXT)`)
    const peer = sqlPeer(nodeSqlitePropagationTarget({ path: path('b') }), { name: 'b', tables: ['users'] })
    const propagator = use(new Propagator({ source: sqliteChanges({ path: path('a') }, { tables: ['users', 'secrets'] }), origin: 'a', peers: [peer] }))
    await propagator.flush()
    expect(cells(path('b'), 'users')).toEqual(cells(path('a'), 'users'))
    expect(cells(path('b'), 'secrets')).toEqual([])
    expect(propagator.status().peers[0]?.tables['secrets']).toMatchObject({ state: 'refused', error: { code: 'PEER_TABLE_REFUSED' } })
    expect(await propagator.doctor()).toEqual([])
  })

  it('passes on what is written after the maker was restored from a backup', async () => {
    for (const name of ['a', 'b', 'c']) run(name, `PRAGMA journal_mode = WAL; ${SCHEMA}`)
    const link = (from: string, to: string): Propagator => new Propagator({ source: sqliteChanges({ path: path(from) }, { tables: ['users'] }), origin: from, peers: [sqlPeer(nodeSqlitePropagationTarget({ path: path(to) }), { name: to, origin: to })] })
    const settle = async (): Promise<void> => {
      await using first = link('a', 'b')
      await first.flush()
      await using second = link('b', 'c')
      await second.flush()
    }
    await settle()
    run('a', `PRAGMA wal_checkpoint(TRUNCATE)`)
    copyFileSync(path('a'), path('backup'))
    run('a', `INSERT INTO users (id, name) VALUES (1, 'lost'), (2, 'lost'), (3, 'lost')`)
    await settle()
    for (const suffix of ['', '-wal', '-shm']) rmSync(path(`a${suffix}`), { force: true })
    copyFileSync(path('backup'), path('a'))
    run('a', `INSERT INTO users (id, name) VALUES (4, 'new')`)
    await settle()
    expect(cells(path('b'), 'users')).toEqual(cells(path('a'), 'users'))
    expect(cells(path('c'), 'users')).toEqual(cells(path('a'), 'users'))
  })
})
