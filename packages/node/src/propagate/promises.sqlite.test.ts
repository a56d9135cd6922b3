import { Propagator, sqlPeer, type NudgeContext } from '@tidemark/core'
import { describe, expect, it } from 'vitest'
import { nodeSqlitePropagationTarget } from '../node-sqlite-propagation-target.ts'
import { sqliteChanges } from '../sqlite-changes.ts'
import { deferred } from '../test/deferred.ts'
import { TOKEN, useSites, type Site } from '../test/use-sites.ts'

const SCHEMA = 'CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, n INT DEFAULT 0); CREATE TABLE secrets (id INTEGER PRIMARY KEY, s TEXT)'

/** A handler's context that gathers what it is given. */
function context(): NudgeContext & { readonly works: Promise<unknown>[] } {
  const works: Promise<unknown>[] = []
  return { works, waitUntil: (work) => void works.push(work) }
}

/** Units that say anything but how far the log is. */
function changesPosted({ posts }: Site): number {
  return posts.map((body) => JSON.parse(body) as { readonly changes?: readonly unknown[] }).filter(({ changes }) => (changes?.length ?? 0) > 0).length
}

describe('what the earlier design promised', () => {
  const sites = useSites()
  const pair = async (): Promise<readonly [Site, Site]> => [await sites.add('a', { schema: SCHEMA }), await sites.add('b', { schema: SCHEMA })]

  it('W01 propagates INSERT, UPDATE, DELETE and REPLACE', async () => {
    const [a, b] = await pair()
    const propagator = sites.propagator(a, [b], { capture: ['users'] })
    for (const sql of [`INSERT INTO users VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)`, `UPDATE users SET n = n * 2`, 'DELETE FROM users WHERE id = 2', `REPLACE INTO users VALUES (3, 'd', 4)`]) {
      a.run(sql)
      await propagator.flush()
      expect(b.cells('users')).toEqual(a.cells('users'))
    }
    expect(b.cells('users')).toHaveLength(2)
  })

  it('W02 afterQuery keeps the flush alive with waitUntil, and works without a context too', async () => {
    const [a, b] = await pair()
    const propagator = sites.propagator(a, [b], { capture: ['users'] })
    const ctx = context()
    a.run(`INSERT INTO users VALUES (1, 'a', 1)`)
    await propagator.afterQuery({ sql: 'INSERT …', params: [] }, ctx)
    expect(ctx.works).toHaveLength(1)
    await Promise.all(ctx.works)
    expect(b.cells('users')).toEqual(a.cells('users'))
    a.run(`INSERT INTO users VALUES (2, 'b', 2)`)
    await propagator.afterQuery()
    await propagator.stop()
    expect(b.cells('users')).toEqual(a.cells('users'))
  })

  it('W03 returns from afterQuery before any peer has been asked', async () => {
    const [a, b] = await pair()
    const asked = deferred()
    const answers = deferred()
    b.gate = async (_body, through) => {
      asked.resolve()
      await answers.promise
      return through()
    }
    const propagator = sites.propagator(a, [b], { capture: ['users'] })
    const ctx = context()
    a.run(`INSERT INTO users VALUES (1, 'a', 1)`)
    await propagator.afterQuery(undefined, ctx)
    expect(b.posts).toEqual([])
    await asked.promise
    a.run(`INSERT INTO users VALUES (2, 'b', 2)`)
    answers.resolve()
    await Promise.all(ctx.works)
    await propagator.flush()
    expect(b.cells('users')).toEqual(a.cells('users'))
  })

  it('W04 lets no failure of a peer, of a listener or of the logger reach the writer', async () => {
    const [a, b] = await pair()
    b.gate = () => Promise.resolve(new Response('no', { status: 500 }))
    const propagator = sites.propagator(a, [b], { capture: ['users'] })
    propagator.on('peer:error', () => {
      throw new Error('of the listener')
    })
    const ctx = context()
    a.run(`INSERT INTO users VALUES (1, 'a', 1)`)
    await propagator.afterQuery(undefined, ctx)
    await Promise.all(ctx.works)
    expect((await propagator.flush()).behind).toEqual(['b'])
    expect(a.cells('users')).toHaveLength(1)
  })

  it('W05 sends to all peers side by side: one that does not answer delays no other', async () => {
    const [a, b] = await pair()
    const c = await sites.add('c', { schema: SCHEMA })
    const answers = deferred()
    b.gate = async (_body, through) => {
      await answers.promise
      return through()
    }
    const propagator = sites.propagator(a, [b, c], { capture: ['users'] })
    a.run(`INSERT INTO users VALUES (1, 'a', 1)`)
    const copied = new Promise((resolve) => propagator.on('peer:copied', resolve))
    const flushed = propagator.flush()
    expect(await copied).toMatchObject({ peer: 'c', rows: 1 })
    expect(c.cells('users')).toEqual(a.cells('users'))
    answers.resolve()
    expect((await flushed).reached).toEqual(['b', 'c'])
    expect(b.cells('users')).toEqual(a.cells('users'))
  })

  it('W06 propagates only the tables that are named, with every verb', async () => {
    const [a, b] = await pair()
    const propagator = sites.propagator(a, [b], { capture: ['users', 'secrets'], tables: ['users'] })
    await propagator.flush()
    a.run(`INSERT INTO users VALUES (1, 'a', 1); INSERT INTO secrets VALUES (1, 'hidden'); REPLACE INTO users VALUES (2, 'b', 2); UPDATE secrets SET s = 'hidden too'`)
    await propagator.flush()
    a.run('DELETE FROM users WHERE id = 1; DELETE FROM secrets WHERE id = 1')
    await propagator.flush()
    expect(b.cells('users')).toEqual(a.cells('users'))
    expect(b.cells('secrets')).toEqual([])
    expect(b.posts.join()).not.toMatch(/secrets|hidden/)
  })

  it('W07 takes peers by address, with a path and with or without a slash at its end', async () => {
    const [a, b] = await pair()
    for (const [index, suffix] of ['replica', 'replica/', 'deep/er/'].entries()) {
      const paths: string[] = []
      b.gate = (_body, through, request) => {
        paths.push(new URL(request.url).pathname)
        return through()
      }
      const propagator = sites.propagator(a, [b], { capture: ['users'], peer: { url: `${b.url}${suffix}` } })
      a.run(`INSERT INTO users VALUES (${index}, 'a', 1)`)
      expect((await propagator.flush()).reached).toEqual(['b'])
      expect(new Set(paths)).toEqual(new Set([`/${suffix}`]))
      await propagator.stop()
    }
    expect(b.cells('users')).toEqual(a.cells('users'))
  })

  it('W08 has a token of its own for each peer, which opens nothing but its receiver', async () => {
    const [a, b] = await pair()
    await b.restart({ authorize: { tokens: { a: 'for a', x: TOKEN } } })
    const wrong = sites.propagator(a, [b], { capture: ['users'] })
    a.run(`INSERT INTO users VALUES (1, 'a', 1)`)
    expect((await wrong.flush()).behind).toEqual(['b'])
    expect(wrong.status().peers[0]?.lastError?.code).toBe('PEER_AUTH_FAILED')
    await wrong.stop()
    const right = sites.propagator(a, [b], { capture: ['users'], peer: { token: () => 'for a' } })
    expect((await right.flush()).reached).toEqual(['b'])
    expect(b.cells('users')).toEqual(a.cells('users'))
  })

  it('W09 asks peers nothing while nothing is written, and has no routes but the one', async () => {
    const [a, b] = await pair()
    const propagator = sites.propagator(a, [b], { capture: ['users'], source: { pollIntervalMs: 1 } })
    await propagator.start()
    a.run(`INSERT INTO users VALUES (1, 'a', 1)`)
    await propagator.flush()
    const { length } = b.posts
    for (let look = 0; look < 20; look += 1) await propagator.flush()
    expect(b.posts).toHaveLength(length)
    expect((await fetch(b.url)).status).toBe(405)
  })

  it('W10 brings the values of parameters', async () => {
    const [a, b] = await pair()
    const propagator = sites.propagator(a, [b], { capture: ['users'] })
    await propagator.flush()
    a.bind('INSERT INTO users (id, name, n) VALUES (?, ?, ?)', 1, 'given', 9_007_199_254_740_993n)
    await propagator.afterQuery({ sql: 'INSERT INTO users (id, name, n) VALUES (?, ?, ?)' })
    await propagator.stop()
    expect(b.cells('users')).toEqual(a.cells('users'))
  })

  it('W11 is apart from a change stream on the same database: neither takes anything from the other', async () => {
    const [a, b] = await pair()
    const [first, second] = [sites.propagator(a, [b], { capture: ['users'] }), sites.propagator(a, [], { capture: ['users'], source: { log: 'other' }, peers: [sqlPeer(nodeSqlitePropagationTarget({ path: `${b.file}2` }), { name: 'b2', followsSchema: true })] })]
    a.run(`INSERT INTO users VALUES (1, 'a', 1)`)
    await second.flush()
    a.run(`UPDATE users SET n = 2`)
    await first.flush()
    await second.flush()
    expect(b.cells('users')).toEqual(a.cells('users'))
  })

  it('W12 sends nothing before the commit, and nothing of what is rolled back', async () => {
    const [a, b] = await pair()
    const propagator = sites.propagator(a, [b], { capture: ['users'] })
    await propagator.flush()
    const writer = sites.use(sites.connection(a))
    writer.exec(`BEGIN IMMEDIATE; INSERT INTO users VALUES (1, 'a', 1)`)
    await propagator.flush()
    expect(changesPosted(b)).toBe(0)
    writer.exec('ROLLBACK')
    await propagator.flush()
    expect(changesPosted(b)).toBe(0)
    writer.exec(`BEGIN IMMEDIATE; INSERT INTO users VALUES (2, 'b', 2); COMMIT`)
    await propagator.flush()
    expect(changesPosted(b)).toBe(1)
    expect(b.cells('users')).toEqual(a.cells('users'))
  })
})

it('refuses one name for two peers', async () => {
  const target = sqlPeer(nodeSqlitePropagationTarget({ path: 'unused' }), { name: 'b' })
  expect(() => new Propagator({ source: sqliteChanges({ path: 'unused' }, { tables: ['t'] }), origin: 'a', peers: [target, target] })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  expect(() => new Propagator({ source: sqliteChanges({ path: 'unused' }, { tables: ['t'] }), origin: 'b', peers: [target] })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})
