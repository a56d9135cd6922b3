import { DatabaseSync } from 'node:sqlite'
import type { Propagator } from '@tidemark/core'
import { describe, expect, it } from 'vitest'
import { movableRuntime } from '../test/movable-runtime.ts'
import { useSites, type Site, type SiteOptions } from '../test/use-sites.ts'

const USERS = 'CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)'
const NOTES = 'CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)'
const SCHEMA = `${USERS}; ${NOTES}`
const TABLES = ['users', 'notes']
const A_WHILE_MS = 60_000

function refusedAt(propagator: Propagator, peer = 'b'): Readonly<Record<string, string>> {
  const tables = propagator.status().peers.find(({ name }) => name === peer)?.tables ?? {}
  return Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, table.state === 'refused' ? table.error.code : table.state]))
}

describe('a table that differs at a peer', () => {
  const sites = useSites()
  const add = (name: string, options: SiteOptions = {}): Promise<Site> => sites.add(name, { schema: SCHEMA, ...options })

  it('is told of when it comes to differ by a migration of the sender, and followed again once the peer has had it', async () => {
    const [a, b] = [await add('a', { schema: USERS }), await add('b', { schema: USERS })]
    const runtime = movableRuntime()
    const propagator = sites.propagator(a, [b], { capture: ['users'], runtime })
    const refused: string[] = []
    propagator.on('table:refused', ({ table, error }) => refused.push(`${table} ${error.code}`))
    a.run(`INSERT INTO users VALUES (1, 'x')`)
    await propagator.flush()
    a.run('ALTER TABLE users ADD COLUMN size')
    await propagator.flush()
    a.run('INSERT INTO users VALUES (2, NULL, 7)')
    await propagator.flush()
    expect(refused).toEqual(['users PEER_SCHEMA_DIFFERS'])
    expect(refusedAt(propagator)).toEqual({ users: 'PEER_SCHEMA_DIFFERS' })
    b.run('ALTER TABLE users ADD COLUMN size')
    runtime.advance(A_WHILE_MS)
    expect((await propagator.flush()).reached).toEqual(['b'])
    expect(refusedAt(propagator)).toEqual({})
    expect(b.cells('users')).toEqual(a.cells('users'))
  })

  it('keeps columns that only the peer has, also of a row with a key of bytes and many columns', async () => {
    const many = Array.from({ length: 70 }, (_, index) => `c${index}`).join(', ')
    const schema = `CREATE TABLE users (id BLOB PRIMARY KEY, ${many}, here DEFAULT 'mine') WITHOUT ROWID`
    const [a, b] = [await add('a', { schema: schema.replace(", here DEFAULT 'mine'", '') }), await add('b', { schema })]
    const propagator = sites.propagator(a, [b], { capture: ['users'] })
    a.run(`INSERT INTO users (id, c0) VALUES (x'0011', 1)`)
    await propagator.flush()
    b.run(`UPDATE users SET here = 'kept'`)
    a.run('UPDATE users SET c0 = 2')
    await propagator.flush()
    using database = new DatabaseSync(b.file, { readOnly: true })
    expect(database.prepare('SELECT c0, here FROM users').all()).toEqual([{ c0: 2, here: 'kept' }])
  })

  it.each([
    ['is missing', 'DROP TABLE users', USERS],
    ['has not all columns', 'ALTER TABLE users DROP COLUMN name', 'ALTER TABLE users ADD COLUMN name TEXT'],
    ['stores a column as another type', 'DROP TABLE users; CREATE TABLE users (id INTEGER PRIMARY KEY, name BLOB)', `DROP TABLE users; ${USERS}`],
    ['has another key', 'DROP TABLE users; CREATE TABLE users (id INTEGER, name TEXT PRIMARY KEY)', `DROP TABLE users; ${USERS}`],
    ['has no key', 'DROP TABLE users; CREATE TABLE users (id INTEGER, name TEXT)', `DROP TABLE users; ${USERS}`],
    ['is a view', 'ALTER TABLE users RENAME TO u; CREATE VIEW users AS SELECT * FROM u', 'DROP VIEW users; ALTER TABLE u RENAME TO users'],
  ])('%s: only it is refused, and copied by itself once it is mended', async (_name, spoil, mend) => {
    const [a, b] = [await add('a'), await add('b')]
    const runtime = movableRuntime()
    const propagator = sites.propagator(a, [b], { capture: TABLES, runtime })
    const refused: string[] = []
    propagator.on('table:refused', ({ table, error }) => refused.push(`${table} ${error.code}`))
    b.run(spoil)
    a.run(`INSERT INTO users VALUES (1, 'x'); INSERT INTO notes VALUES (1, 'y')`)
    expect((await propagator.flush()).reached).toEqual(['b'])
    expect(refusedAt(propagator)).toEqual({ users: 'PEER_SCHEMA_DIFFERS' })
    expect(b.cells('notes')).toEqual(a.cells('notes'))
    a.run(`UPDATE users SET name = 'z'; UPDATE notes SET text = 'z'; INSERT INTO users VALUES (2, 'w')`)
    await propagator.flush()
    expect(b.cells('notes')).toEqual(a.cells('notes'))
    expect(refused).toEqual(['users PEER_SCHEMA_DIFFERS'])
    b.run(mend)
    runtime.advance(A_WHILE_MS)
    await propagator.flush()
    expect(refusedAt(propagator)).toEqual({})
    expect(b.cells('users')).toEqual(a.cells('users'))
  })

  it.each(['DROP TABLE users', 'ALTER TABLE users RENAME COLUMN name TO called'])('since it was live, by %s, is refused then', async (spoil) => {
    const [a, b] = [await add('a'), await add('b')]
    const propagator = sites.propagator(a, [b], { capture: TABLES })
    await propagator.flush()
    b.run(spoil)
    a.run(`BEGIN; INSERT INTO users VALUES (1, 'x'); INSERT INTO notes VALUES (1, 'y'); COMMIT`)
    await propagator.flush()
    expect(refusedAt(propagator)).toEqual({ users: 'PEER_SCHEMA_DIFFERS' })
    expect(b.cells('notes')).toEqual(a.cells('notes'))
  })

  it.each([[undefined, 30_000], [500, 500]])('is asked about again after `askAgainMs`: %s', async (askAgainMs, expectedMs) => {
    const [a, b] = [await add('a'), await add('b')]
    const runtime = movableRuntime()
    const propagator = sites.propagator(a, [b], { capture: TABLES, runtime: { ...runtime, now: () => atMs }, askAgainMs })
    let atMs = runtime.now()
    b.run('DROP TABLE users')
    await propagator.flush()
    const { length } = b.posts
    atMs += expectedMs - 1
    await propagator.flush()
    expect(b.posts).toHaveLength(length)
    atMs += 1
    await propagator.flush()
    expect(b.posts.length).toBeGreaterThan(length)
  })

  it('may have more columns, whose defaults are taken and whose values stay', async () => {
    const [a, b] = [await add('a'), await add('b')]
    b.run(`ALTER TABLE users ADD COLUMN role TEXT NOT NULL DEFAULT 'guest'`)
    const propagator = sites.propagator(a, [b], { capture: TABLES })
    a.run(`INSERT INTO users VALUES (1, 'x')`)
    await propagator.flush()
    b.run(`UPDATE users SET role = 'admin'`)
    a.run(`UPDATE users SET name = 'y'; INSERT INTO users VALUES (2, 'z')`)
    await propagator.flush()
    expect(rows(b, 'SELECT name, role FROM users ORDER BY id')).toEqual([{ name: 'y', role: 'admin' }, { name: 'z', role: 'guest' }])
  })

  it.each([
    ['of which a row has been inserted there', `INSERT INTO users VALUES (7, 'taken')`],
    ['that has a check of its own there', 'DROP TABLE users; CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE CHECK (name <> \'taken\'))'],
  ])('%s: a change that it does not let in stops that table and nothing else', async (_name, spoil) => {
    const [a, b] = [await add('a', { schema: `CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE); ${NOTES}` }), await add('b', { schema: `CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE); ${NOTES}` })]
    const propagator = sites.propagator(a, [b], { capture: TABLES })
    await propagator.flush()
    b.run(spoil)
    a.run(`BEGIN; INSERT INTO notes VALUES (1, 'before'); INSERT INTO users VALUES (1, 'fine'), (2, 'taken'); INSERT INTO notes VALUES (2, 'after'); COMMIT`)
    await propagator.flush()
    expect(refusedAt(propagator)).toEqual({ users: 'TARGET_CONSTRAINT' })
    expect(propagator.status().peers[0]?.tables['users']).toMatchObject({ error: { remedy: expect.stringMatching(/replacesRows/) as unknown } })
    expect(b.cells('notes')).toEqual(a.cells('notes'))
    expect(JSON.stringify(b.cells('users'))).not.toContain(Buffer.from('fine').toString('hex').toUpperCase())
  })
})

describe('keys', () => {
  const sites = useSites()

  it('a table without one is refused on the spot, and the others are not', async () => {
    const schema = `CREATE TABLE users (id INT, name TEXT); ${NOTES}`
    const [a, b] = [await sites.add('a', { schema }), await sites.add('b', { schema })]
    const propagator = sites.propagator(a, [b], { capture: TABLES })
    const refused: string[] = []
    propagator.on('table:refused', ({ table, error }) => refused.push(`${table} ${error.code}`))
    for (const sql of [`INSERT INTO users VALUES (1, 'x'); INSERT INTO notes VALUES (1, 'y')`, `UPDATE users SET name = 'z'; UPDATE notes SET text = 'z'`]) {
      a.run(sql)
      expect((await propagator.flush()).reached).toEqual(['b'])
      expect(b.cells('notes')).toEqual(a.cells('notes'))
    }
    expect(refusedAt(propagator)).toEqual({ users: 'KEY_REQUIRED' })
    expect(refused).toEqual(['users KEY_REQUIRED'])
    expect(b.cells('users')).toEqual([])
  })

  it('a NULL in one stops that table, until there is none any more', async () => {
    const schema = `CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT); ${NOTES}`
    const [a, b] = [await sites.add('a', { schema }), await sites.add('b', { schema })]
    const runtime = movableRuntime()
    const propagator = sites.propagator(a, [b], { capture: TABLES, runtime })
    await propagator.flush()
    a.run(`INSERT INTO users VALUES ('j', 'there before')`)
    await propagator.flush()
    a.run(`INSERT INTO users VALUES ('k', 'fine'); INSERT INTO users VALUES (NULL, 'x'), (NULL, 'y'); INSERT INTO notes VALUES (1, 'y')`)
    await propagator.flush()
    expect(refusedAt(propagator)).toEqual({ users: 'KEY_REQUIRED' })
    expect(b.cells('notes')).toEqual(a.cells('notes'))
    a.run(`DELETE FROM users WHERE id IS NULL; INSERT INTO users VALUES ('l', 'with a key')`)
    runtime.advance(A_WHILE_MS)
    await propagator.flush()
    expect(refusedAt(propagator)).toEqual({})
    expect(b.cells('users')).toEqual(a.cells('users'))
  })

  it('a NULL in a row that is there when a copy begins stops that table too', async () => {
    const schema = `CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT); ${NOTES}`
    const [a, b] = [await sites.add('a', { schema }), await sites.add('b', { schema })]
    a.run(`INSERT INTO users VALUES (NULL, 'x'), ('a', 'y'), (NULL, 'z'); INSERT INTO notes VALUES (1, 'y')`)
    const propagator = sites.propagator(a, [b], { capture: TABLES, batch: { rows: 1 } })
    await propagator.flush()
    expect(refusedAt(propagator)).toEqual({ users: 'KEY_REQUIRED' })
    expect(b.cells('notes')).toEqual(a.cells('notes'))
  })
})

describe('names', () => {
  const sites = useSites()

  it('of two instances that are the same are an error of the second, whose data goes nowhere', async () => {
    const [first, b] = [await sites.add('a', { schema: SCHEMA }), await sites.add('b', { schema: SCHEMA })]
    const twin: Site = { ...await sites.add('twin', { schema: SCHEMA }), name: 'a' }
    first.run(`INSERT INTO users VALUES (1, 'of the first')`)
    twin.run(`INSERT INTO users VALUES (2, 'of the twin')`)
    const propagator = sites.propagator(first, [b], { capture: TABLES })
    await propagator.flush()
    const second = sites.propagator(twin, [b], { capture: TABLES })
    expect((await second.flush()).behind).toEqual(['b'])
    expect(second.status().peers[0]?.lastError?.code).toBe('ORIGIN_TAKEN')
    first.run(`INSERT INTO users VALUES (3, 'goes on')`)
    expect((await propagator.flush()).reached).toEqual(['b'])
    expect(b.cells('users')).toEqual(first.cells('users'))
  })

  it('of a peer itself are refused by it', async () => {
    const [a, b] = [await sites.add('a', { schema: SCHEMA }), await sites.add('b', { schema: SCHEMA, origin: 'a' })]
    const propagator = sites.propagator(a, [b], { capture: TABLES })
    expect((await propagator.flush()).behind).toEqual(['b'])
    expect(propagator.status().peers[0]?.lastError?.code).toBe('ORIGIN_TAKEN')
  })

  it('of tables that a receiver keeps for itself can not be written by any sender', async () => {
    const a = await sites.add('a', { schema: 'CREATE TABLE tidemark_peer_senders (origin TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID' })
    const b = await sites.add('b')
    a.run(`INSERT INTO tidemark_peer_senders VALUES ('x', '{}')`)
    for (const rules of [{}, { followsSchema: true, replacesRows: true }]) {
      await b.restart(rules)
      const propagator = sites.propagator(a, [b], { capture: ['tidemark_peer_senders'], source: { log: 'other' } })
      await propagator.flush()
      a.run(`UPDATE tidemark_peer_senders SET state = state || ' '`)
      await propagator.flush()
      expect(refusedAt(propagator)).toEqual({ tidemark_peer_senders: 'PEER_SCHEMA_DIFFERS' })
      expect(rows(b, 'SELECT origin FROM tidemark_peer_senders')).toEqual([{ origin: 'a' }])
      await propagator.stop()
    }
  })
})

function rows(site: Site, sql: string): readonly unknown[] {
  const database = new DatabaseSync(site.file, { readOnly: true })
  const all = database.prepare(sql).all().map((row) => ({ ...row }))
  database.close()
  return all
}
