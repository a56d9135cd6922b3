import type { Propagator } from '@tidemark/core'
import { describe, expect, it } from 'vitest'
import { deferred } from '../test/deferred.ts'
import { settle, TOKEN, useSites, type Site, type SiteOptions } from '../test/use-sites.ts'

const SCHEMA = `
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, n INT DEFAULT 0);
CREATE TABLE secrets (id INTEGER PRIMARY KEY, s TEXT);
CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT);
CREATE TRIGGER seen AFTER UPDATE ON users BEGIN INSERT INTO audit (what) VALUES (new.id || ' of ' || old.n); END;`

const TABLES = ['users', 'audit']

interface Unit {
  readonly type: string
  readonly changes?: readonly unknown[]
}

/** Requests that carry changes, of all sites. */
function changesPosted(list: readonly Site[]): number {
  return list.flatMap(({ posts }) => posts.map((body) => JSON.parse(body) as Unit)).filter(({ changes }) => (changes?.length ?? 0) > 0).length
}

describe('weaknesses of the earlier design', () => {
  const sites = useSites()
  const add = (name: string, options: SiteOptions = {}): Promise<Site> => sites.add(name, { schema: SCHEMA, ...options })
  const pair = async (): Promise<readonly [Site, Site]> => [await add('a'), await add('b')]

  /** Each site propagates to those that `edges` names, and all is quiet. */
  const network = async (edges: Readonly<Record<string, string>>, tables = TABLES): Promise<{ readonly list: readonly Site[]; readonly propagators: readonly Propagator[] }> => {
    const byName = new Map<string, Site>()
    for (const name of Object.keys(edges)) byName.set(name, await add(name))
    const list = [...byName.values()]
    const propagators = list.map((from) => sites.propagator(from, (edges[from.name] ?? '').split('').flatMap((to) => byName.get(to) ?? []), { capture: tables }))
    await settle(propagators, list)
    for (const { posts } of list) posts.length = 0
    return { list, propagators }
  }

  const expectSame = ([first, ...others]: readonly Site[], tables: readonly string[] = TABLES): void => {
    for (const table of tables) for (const other of others) expect(other.cells(table), `${other.name}.${table}`).toEqual(first?.cells(table))
  }

  it('3.2#1 parameters arrive', async () => {
    const [a, b] = await pair()
    const propagator = sites.propagator(a, [b], { capture: TABLES })
    await propagator.flush()
    a.bind('INSERT INTO users VALUES (?, ?, ?)', 2n ** 60n, null, new Uint8Array([1, 0]))
    a.bind('UPDATE users SET name = ?, n = ? WHERE id = ?', new Date(0).toISOString(), 0.1, 2n ** 60n)
    await propagator.flush()
    expectSame([a, b])
  })

  it.each([
    ['INSERT', `INSERT INTO users VALUES (9, 'x', 1); INSERT INTO secrets VALUES (9, 'x')`],
    ['REPLACE', `REPLACE INTO users VALUES (1, 'x', 1); REPLACE INTO secrets VALUES (1, 'x')`],
    ['UPDATE', `UPDATE users SET n = 7; UPDATE secrets SET s = 'x'`],
    ['DELETE', 'DELETE FROM users; DELETE FROM secrets'],
  ])('3.2#2 a filter of tables lets %s of its tables through and of no other', async (_verb, sql) => {
    const [a, b] = await pair()
    a.run(`INSERT INTO users VALUES (1, 'a', 1); INSERT INTO secrets VALUES (1, 'hidden')`)
    const propagator = sites.propagator(a, [b], { capture: [...TABLES, 'secrets'], tables: TABLES })
    await propagator.flush()
    expectSame([a, b])
    b.run(`INSERT INTO secrets VALUES (1, 'of the peer')`)
    const secrets = b.cells('secrets')
    const before = a.cells('users')
    a.run(sql)
    expect(a.cells('users')).not.toEqual(before)
    await propagator.flush()
    expectSame([a, b])
    expect(b.cells('secrets')).toEqual(secrets)
  })

  it('3.2#3 no statement is too new: what is captured are rows', async () => {
    const [a, b] = await pair()
    const propagator = sites.propagator(a, [b], { capture: TABLES })
    await propagator.flush()
    a.run(`WITH s (i) AS MATERIALIZED (VALUES (1), (2)) INSERT INTO users SELECT i, format('%04d', i), i FROM s WHERE true ON CONFLICT (id) DO UPDATE SET n = n -> '$' RETURNING *`)
    await propagator.flush()
    expectSame([a, b])
    expect(b.cells('users')).toHaveLength(2)
  })

  it('3.2#4 every statement of a text counts, each by its own table', async () => {
    const [a, b] = await pair()
    a.run(`INSERT INTO users VALUES (1, 'a', 1), (2, 'b', 2); INSERT INTO secrets VALUES (1, 's')`)
    const propagator = sites.propagator(a, [b], { capture: [...TABLES, 'secrets'], tables: TABLES })
    await propagator.flush()
    b.run(`INSERT INTO secrets VALUES (1, 'of the peer')`)
    a.run('SELECT 1; DELETE FROM users WHERE id = 1; DELETE FROM secrets')
    await propagator.flush()
    expectSame([a, b])
    expect(b.cells('secrets')).toHaveLength(1)
  })

  it.each([
    ['A <-> B', { a: 'b', b: 'a' }, 1],
    ['A -> B -> C -> A', { a: 'b', b: 'c', c: 'a' }, 2],
    ['a full mesh of four', { a: 'bcd', b: 'acd', c: 'abd', d: 'abc' }, 9],
    ['a star, through its middle', { a: 'm', b: 'm', c: 'm', m: 'abc' }, 3],
    ['a ring both ways', { a: 'bd', b: 'ac', c: 'bd', d: 'ac' }, 7],
  ] satisfies readonly (readonly [string, Readonly<Record<string, string>>, number])[])('3.2#5 peers that name each other end after one hop: %s', async (_name, edges, most) => {
    const { list, propagators } = await network(edges, ['users', 'audit'])
    const [a] = list
    a?.run(`INSERT INTO users VALUES (1, 'once', 1)`)
    await settle(propagators, list)
    expectSame(list)
    expect(a?.cells('users')).toHaveLength(1)
    const inserted = changesPosted(list)
    expect(inserted).toBeGreaterThanOrEqual(list.length - 1)
    expect(inserted).toBeLessThanOrEqual(most)
    a?.run(`UPDATE users SET n = n + 1`)
    await settle(propagators, list)
    expectSame(list)
    expect(a?.cells('audit')).toHaveLength(1)
    expect(changesPosted(list) - inserted).toBeLessThanOrEqual(most)
    // The last of them writes too.
    list.at(-1)?.run(`UPDATE users SET n = n + 1; INSERT INTO users VALUES (2, 'twice', 1)`)
    await settle(propagators, list)
    expectSame(list)
    expect(a?.cells('users')).toHaveLength(2)
    expect(a?.cells('audit')).toHaveLength(2)
  })

  it.each(['random()', 'strftime(\'%f\', \'now\')', 'CURRENT_TIMESTAMP', 'last_insert_rowid()', 'changes()', 'lower(hex(randomblob(16)))', '(SELECT id FROM users LIMIT 1)'])('3.2#6 %s comes to the same', async (expression) => {
    const [a, b] = await pair()
    const propagator = sites.propagator(a, [b], { capture: TABLES })
    await propagator.flush()
    a.run(`INSERT INTO users VALUES (7, 'x', 1), (3, 'y', 2); UPDATE users SET name = ${expression}; INSERT INTO users (name) VALUES (${expression})`)
    await propagator.flush()
    expectSame([a, b])
  })

  it('3.2#7 changes arrive in their order, also when the first message is late', async () => {
    const [a, b] = await pair()
    const propagator = sites.propagator(a, [b], { capture: TABLES })
    await propagator.flush()
    const held = deferred()
    b.gate = async (_body, through) => {
      await held.promise
      return through()
    }
    a.run(`INSERT INTO users VALUES (1, 'inserted', 1)`)
    const first = propagator.flush()
    a.run(`UPDATE users SET name = 'updated'`)
    const second = propagator.flush()
    a.run('DELETE FROM users')
    const third = propagator.flush()
    held.resolve()
    await Promise.all([first, second, third])
    expectSame([a, b])
    expect(b.cells('users')).toEqual([])
  })

  it('3.2#8 nothing is lost by a failure, nor doubled by what is sent again', async () => {
    const [a, b] = await pair()
    const propagator = sites.propagator(a, [b], { capture: TABLES, breaker: { failures: 1_000 } })
    await propagator.flush()
    const faults = ['lost', 'answer lost', 'twice', 'none', 'twice', 'none', 'answer lost']
    let calls = 0
    b.gate = async (_body, through) => {
      const fault = faults[calls % faults.length]
      calls += 1
      if (fault === 'lost') return new Response('', { status: 502 })
      const answer = await through()
      if (fault === 'twice') return through()
      return fault === 'answer lost' ? new Response('', { status: 500 }) : answer
    }
    for (let id = 1; id <= 10; id += 1) {
      a.run(`INSERT INTO users VALUES (${id}, 'x', 0); UPDATE users SET n = n + 1`)
      await expect.poll(async () => (await propagator.flush()).reached, { interval: 5 }).toEqual(['b'])
      expectSame([a, b])
    }
    expect(calls).toBeGreaterThan(15)
  })

  it('3.2#9 keys are those that the writer was given', async () => {
    const [a, b] = await pair()
    const propagator = sites.propagator(a, [b], { capture: TABLES })
    await propagator.flush()
    b.run(`INSERT INTO audit (what) VALUES ('x'); DELETE FROM audit`)
    a.run(`INSERT INTO users (name) VALUES ('one'), ('two'); UPDATE users SET n = 1; DELETE FROM users WHERE id = 2; INSERT INTO users (name) VALUES ('three')`)
    await propagator.flush()
    expectSame([a, b])
  })

  it('3.2#10 a transaction is never torn', async () => {
    const [a, b] = await pair()
    const propagator = sites.propagator(a, [b], { capture: TABLES, batch: { rows: 3 } })
    await propagator.flush()
    const counts = new Set<number>()
    b.gate = async (_body, through) => {
      const answer = await through()
      counts.add(b.cells('users').length)
      return answer
    }
    a.run(`BEGIN; ${Array.from({ length: 20 }, (_, id) => `INSERT INTO users VALUES (${id}, 'x', 0);`).join('')} COMMIT`)
    await propagator.flush()
    expect([...counts]).toEqual([0, 20])
    expect(changesPosted([b])).toBeGreaterThan(5)
    expect(() => a.run(`BEGIN; DELETE FROM users WHERE id < 10; UPDATE users SET n = 1; INSERT INTO users VALUES (15, 'there', 0); COMMIT`)).toThrow('UNIQUE')
    await propagator.flush()
    expect([...counts]).toEqual([0, 20])
    expectSame([a, b])
  })

  it('3.2#11 every way to write is seen, and a schema that changes on the way', async () => {
    const [a, b] = [await add('a'), await add('b', { followsSchema: true })]
    const propagator = sites.propagator(a, [b], { capture: TABLES })
    await propagator.flush()
    const writer = sites.use(sites.connection(a))
    writer.exec(`INSERT INTO users VALUES (1, 'by another connection', 1)`)
    a.run(`ALTER TABLE users ADD COLUMN extra; INSERT INTO users VALUES (2, 'with more', 1, x'01')`)
    await propagator.flush()
    writer.exec(`UPDATE users SET extra = 'by the first'`)
    await propagator.flush()
    expectSame([a, b])
    expect(propagator.status().peers[0]?.tables).toEqual({})
  })

  it('3.2#12 reads, and writes to other databases, send nothing', async () => {
    const [a, b] = await pair()
    const propagator = sites.propagator(a, [b], { capture: TABLES })
    await propagator.flush()
    const { length } = b.posts
    const other = await add('other')
    other.run(`INSERT INTO users VALUES (1, 'elsewhere', 1)`)
    a.run(`SELECT * FROM users; INSERT INTO secrets VALUES (1, 'not captured'); CREATE TEMP TABLE t AS SELECT 1; ATTACH '${other.file}' AS o; UPDATE o.users SET n = 2`)
    await propagator.afterQuery({ sql: 'UPDATE o.users SET n = 2' })
    await propagator.flush()
    expect(b.posts).toHaveLength(length)
  })

  it('3.2#13 a peer that hangs costs the others nothing, and no token is shown', async () => {
    const [a, b] = await pair()
    const c = await add('c')
    const never = deferred()
    b.gate = async () => {
      await never.promise
      return new Response('')
    }
    const shown: unknown[] = []
    const log = (...parts: readonly unknown[]): void => void shown.push(parts)
    const propagator = sites.propagator(a, [b, c], { capture: TABLES, timeoutMs: 50, logger: { debug: log, info: log, warn: log, error: log } })
    propagator.on('peer:error', (event) => shown.push(event))
    a.run(`INSERT INTO users VALUES (1, 'value that is nobody else''s', 1)`)
    expect(await propagator.flush()).toMatchObject({ reached: ['c'], behind: ['b'] })
    expectSame([a, c])
    expect(shown.length).toBeGreaterThan(1)
    expect(JSON.stringify([shown, propagator.status()])).not.toMatch(new RegExp(`${String(TOKEN)}|nobody else`))
    never.resolve()
  })

  it('3.2#14 a no-op update posts nothing, triggers do not run again on the peer', async () => {
    const [a, b] = await pair()
    const propagator = sites.propagator(a, [b], { capture: TABLES })
    a.run(`INSERT INTO users VALUES (1, 'a', 1)`)
    await propagator.flush()
    const { length } = b.posts
    a.run(`UPDATE users SET n = 5 WHERE id = 99; DELETE FROM users WHERE id = 99; INSERT OR IGNORE INTO users VALUES (1, 'b', 2)`)
    await propagator.flush()
    expect(b.posts).toHaveLength(length)
    a.run('DROP TRIGGER seen; UPDATE users SET n = n')
    await propagator.flush()
    expect(b.posts).toHaveLength(length)
    b.run('SELECT 1')
    a.run(`CREATE TRIGGER seen AFTER UPDATE ON users BEGIN INSERT INTO audit (what) VALUES ('again'); END; UPDATE users SET n = 6`)
    await propagator.flush()
    expectSame([a, b])
    expect(b.cells('audit')).toHaveLength(1)
  })
})
