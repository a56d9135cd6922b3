import { httpPeer, type DeadLetter, type Propagator } from '@tidemark/core'
import { describe, expect, it } from 'vitest'
import { deferred } from '../test/deferred.ts'
import { movableRuntime } from '../test/movable-runtime.ts'
import { settle, TOKEN, useSites, type Site, type SiteOptions } from '../test/use-sites.ts'

const SCHEMA = 'CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, n INT DEFAULT 0); CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)'
const TABLES = ['users', 'notes']

/** Beyond the cooldown of a peer that is left alone, and the time after which refused tables are asked for. */
const A_WHILE_MS = 60_000

function codeOf(propagator: Propagator, peer = 'b'): string | undefined {
  return propagator.status().peers.find(({ name }) => name === peer)?.lastError?.code
}

describe('a peer that misbehaves', () => {
  const sites = useSites()
  const add = (name: string, options: SiteOptions = {}): Promise<Site> => sites.add(name, { schema: SCHEMA, ...options })

  /** One writer, the peer in question and a healthy one. */
  const three = async (options: SiteOptions = {}): Promise<readonly [Site, Site, Site]> => [await add('a'), await add('b', options), await add('c')]

  it.each([
    ['200 with a page', () => new Response('<html>Welcome</html>', { status: 200 }), 'PEER_ANSWER_INVALID'],
    ['200 with JSON of something else', () => Response.json({ success: true, result: [] }), 'PEER_ANSWER_INVALID'],
    ['200 with an answer of another version', () => Response.json({ v: 99, outcome: 'applied', at: null, isCommit: true, tables: {} }), 'PEER_ANSWER_INVALID'],
    ['200 with a place that is none', () => Response.json({ v: 1, outcome: 'applied', at: ['e', 'garbage', ''], isCommit: true, tables: [] }), 'PEER_ANSWER_INVALID'],
    ['204', () => new Response(null, { status: 204 }), 'PEER_ANSWER_INVALID'],
    ['302', () => new Response(null, { status: 302, headers: { location: 'http://127.0.0.1:9/' } }), 'PEER_ANSWER_INVALID'],
    ['404', () => new Response('not here', { status: 404 }), 'PEER_ANSWER_INVALID'],
    ['401', () => new Response('', { status: 401 }), 'PEER_AUTH_FAILED'],
    ['403', () => new Response('', { status: 403 }), 'PEER_AUTH_FAILED'],
    ['429', () => new Response('', { status: 429 }), 'PEER_BUSY'],
    ['500', () => new Response('boom', { status: 500 }), 'PEER_BUSY'],
    ['503', () => new Response('', { status: 503 }), 'PEER_BUSY'],
  ])('%s is a coded failure of that peer only, and mends by itself', async (_name, answer, code) => {
    const [a, b, c] = await three()
    const runtime = movableRuntime()
    const propagator = sites.propagator(a, [b, c], { capture: TABLES, runtime })
    await propagator.flush()
    b.gate = () => Promise.resolve(answer())
    a.run(`INSERT INTO users VALUES (1, 'x', 1)`)
    expect(await propagator.flush()).toMatchObject({ reached: ['c'], behind: ['b'] })
    expect(c.cells('users')).toEqual(a.cells('users'))
    expect(codeOf(propagator)).toBe(code)
    b.gate = undefined
    runtime.advance(A_WHILE_MS)
    expect((await propagator.flush()).behind).toEqual([])
    expect(b.cells('users')).toEqual(a.cells('users'))
  })

  it('is not asked again and again: after some failures in a row it is left alone', async () => {
    const [a, b, c] = await three()
    const propagator = sites.propagator(a, [b, c], { capture: TABLES, breaker: { failures: 3 } })
    b.gate = () => Promise.resolve(new Response('', { status: 500 }))
    a.run(`INSERT INTO users VALUES (1, 'x', 1)`)
    await expect.poll(async () => {
      await propagator.flush()
      return propagator.status().peers[0]?.phase
    }, { interval: 5 }).toBe('resting')
    const { length } = b.posts
    for (let id = 2; id < 10; id += 1) {
      a.run(`INSERT INTO users VALUES (${id}, 'x', 1)`)
      expect((await propagator.flush()).reached).toEqual(['c'])
    }
    expect(b.posts).toHaveLength(length)
    expect(length).toBe(3)
  })

  it('that nobody listens for is unreachable', async () => {
    const [a, , c] = await three()
    const closed = await add('closed')
    const peers = [httpPeer({ url: closed.url, token: TOKEN, name: 'b' }), httpPeer({ url: c.url, token: TOKEN, name: 'c' })]
    await (closed as Site & AsyncDisposable)[Symbol.asyncDispose]() // what useSites would do later
    const propagator = sites.propagator(a, [], { capture: TABLES, peers })
    a.run(`INSERT INTO users VALUES (1, 'x', 1)`)
    expect((await propagator.flush()).reached).toEqual(['c'])
    expect(codeOf(propagator)).toBe('PEER_UNREACHABLE')
  })

  it('that hangs is given up in time, before and while it answers', async () => {
    const [a, b, c] = await three()
    const end = deferred()
    const propagator = sites.propagator(a, [b, c], { capture: TABLES, timeoutMs: 60 })
    b.gate = async (_body, through) => {
      await end.promise
      return through()
    }
    a.run(`INSERT INTO users VALUES (1, 'x', 1)`)
    expect((await propagator.flush()).reached).toEqual(['c'])
    expect(codeOf(propagator)).toBe('PEER_UNREACHABLE')
    end.resolve()
    b.gate = undefined
    await expect.poll(async () => (await propagator.flush()).behind, { interval: 5 }).toEqual([])
    expect(b.cells('users')).toEqual(a.cells('users'))
  })

  it('that says it has done what it was told, and has not, is not asked without end', async () => {
    const [a, b, c] = await three()
    const propagator = sites.propagator(a, [b, c], { capture: TABLES })
    await propagator.flush()
    // Every message is answered as a hello is: the place never moves.
    const hello = b.posts[0] ?? ''
    b.gate = (_body, through) => through(hello)
    const before = b.posts.length
    a.run(`INSERT INTO users VALUES (1, 'x', 1)`)
    expect((await propagator.flush()).reached).toEqual(['c'])
    expect(codeOf(propagator)).toBe('PEER_ANSWER_INVALID')
    expect(b.posts.length - before).toBeLessThan(4)
  })
})

describe('messages that are too large', () => {
  const sites = useSites()
  const MAX = 4_096
  const pair = async (maxMessageBytes = MAX): Promise<readonly [Site, Site, Site]> => [await sites.add('a', { schema: SCHEMA }), await sites.add('b', { schema: SCHEMA, maxMessageBytes }), await sites.add('c', { schema: SCHEMA })]

  it('are split until each row fits, of copies and of changes, in bytes and not in characters', async () => {
    const [a, b, c] = await pair()
    a.run(`WITH RECURSIVE i (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM i WHERE n < 300) INSERT INTO users SELECT n, printf('%.*c', n % 5 * 200, '漢'), n FROM i`)
    const propagator = sites.propagator(a, [b, c], { capture: TABLES })
    expect((await propagator.flush()).behind).toEqual([])
    expect(b.cells('users')).toEqual(a.cells('users'))
    a.run('UPDATE users SET n = -n')
    expect((await propagator.flush()).behind).toEqual([])
    expect(b.cells('users')).toEqual(a.cells('users'))
    expect(propagator.status().peers.map(({ failures }) => failures)).toEqual([0, 0])
  })

  it('are sent in larger pieces again once what was large is through', async () => {
    const [a, b, c] = await pair(65_536)
    const propagator = sites.propagator(a, [b, c], { capture: TABLES })
    await propagator.flush()
    a.run(`BEGIN; ${Array.from({ length: 8 }, (_, id) => `INSERT INTO users VALUES (${id}, printf('%.*c', 40000, 'x'), 1);`).join('')} COMMIT`)
    await propagator.flush()
    const before = b.posts.length
    a.run(`WITH RECURSIVE i (n) AS (VALUES (100) UNION ALL SELECT n + 1 FROM i WHERE n < 1100) INSERT INTO users SELECT n, 'small', n FROM i`)
    await propagator.flush()
    expect(b.cells('users')).toEqual(a.cells('users'))
    expect(b.posts.length - before).toBeLessThan(20)
  })

  it('of a single row make the peer wait, with the others going on, until the receiver takes more', async () => {
    const [a, b, c] = await pair()
    const runtime = movableRuntime()
    const propagator = sites.propagator(a, [b, c], { capture: TABLES, runtime })
    await propagator.flush()
    a.run(`INSERT INTO users VALUES (1, printf('%.*c', 10000, 'x'), 1); INSERT INTO notes VALUES (1, 'behind it')`)
    expect(await propagator.flush()).toMatchObject({ reached: ['c'], behind: ['b'] })
    expect(codeOf(propagator)).toBe('PEER_TOO_LARGE')
    expect(b.cells('notes')).toEqual([])
    await b.restart({ maxMessageBytes: 100_000 })
    runtime.advance(A_WHILE_MS)
    expect((await propagator.flush()).behind).toEqual([])
    for (const table of TABLES) expect(b.cells(table)).toEqual(a.cells(table))
  })

  it.each(['written later', 'there before'])('of a single row that was %s go to deadLetter, and the peer goes on behind it', async (when) => {
    const [a, b, c] = await pair()
    const letters: DeadLetter[] = []
    const propagator = sites.propagator(a, [b, c], { capture: TABLES, deadLetter: (letter) => letters.push(letter) })
    if (when === 'written later') await propagator.flush()
    a.run(`INSERT INTO users VALUES (1, 'before', 1); INSERT INTO users VALUES (2, printf('%.*c', 10000, 'x'), 1); INSERT INTO users VALUES (3, 'after', 3)`)
    await settle([propagator], [b, c])
    expect((await propagator.flush()).behind).toEqual([])
    expect(c.cells('users')).toEqual(a.cells('users'))
    const expected = a.cells('users').filter((row) => JSON.stringify(row).length < 10_000)
    expect(expected).toHaveLength(2)
    expect(b.cells('users')).toEqual(expected)
    expect(letters).toMatchObject([{ peer: 'b', error: { code: 'PEER_TOO_LARGE' } }])
  })

  it('wait as well when deadLetter does not take them', async () => {
    const [a, b, c] = await pair()
    const propagator = sites.propagator(a, [b, c], { capture: TABLES, deadLetter: () => Promise.reject(new Error('full')) })
    await propagator.flush()
    a.run(`INSERT INTO users VALUES (2, printf('%.*c', 10000, 'x'), 1)`)
    expect((await propagator.flush()).behind).toEqual(['b'])
  })
})

describe('requests that no propagator sends', () => {
  const sites = useSites()
  const headers = { authorization: `Bearer ${String(TOKEN)}`, 'tidemark-origin': 'a' }
  const post = async (site: Site, body: string, more: Readonly<Record<string, string>> = {}): Promise<readonly [status: number, code: string | undefined]> => {
    const response = await fetch(site.url, { method: 'POST', headers: { ...headers, ...more }, body })
    const { error } = await response.json() as { readonly error?: { readonly code: string } }
    return [response.status, error?.code]
  }

  it.each([
    ['nothing', ''], ['no JSON', '{"v":1'], ['no object', '[]'], ['null', 'null'], ['no type', '{"v":1,"origin":"a","epoch":"e"}'], ['deep nesting', '['.repeat(20_000)],
    ['another version', '{"v":2,"type":"hello","origin":"a","epoch":"e","head":["00",""],"tables":[],"snapshot":true,"takesOver":false,"isVersioned":false,"restarts":false}'],
    ['a place that is none', '{"v":1,"type":"hello","origin":"a","epoch":"e","head":["zz",""],"tables":[],"snapshot":true,"takesOver":false,"isVersioned":false,"restarts":false}'],
    ['a name that is none', '{"v":1,"type":"hello","origin":"a\\nb","epoch":"e","head":["00",""],"tables":[],"snapshot":true,"takesOver":false,"isVersioned":false,"restarts":false}'],
    ['a table without columns', '{"v":1,"type":"hello","origin":"a","epoch":"e","head":["00",""],"tables":[{"name":"users","columns":[],"key":["id"]}],"snapshot":true,"takesOver":false,"isVersioned":false,"restarts":false}'],
  ])('%s is refused by code and changes nothing', async (_name, body) => {
    const b = await sites.add('b', { schema: SCHEMA })
    expect(await post(b, body)).toEqual([400, 'REQUEST_INVALID'])
    expect(b.cells('users')).toEqual([])
  })

  it('without a token, with a wrong one, or of another origin than they claim are refused', async () => {
    const b = await sites.add('b', { schema: SCHEMA })
    const hello = '{"v":1,"type":"hello","origin":"x","epoch":"e","head":["00",""],"tables":[],"snapshot":true,"takesOver":false,"isVersioned":false,"restarts":false}'
    for (const authorization of ['', 'Bearer ', 'Bearer wrong', `Basic ${String(TOKEN)}`, String(TOKEN)]) expect(await post(b, hello, { authorization, 'tidemark-origin': 'x' })).toEqual([401, 'REQUEST_UNAUTHORIZED'])
    expect(await post(b, hello)).toEqual([401, 'REQUEST_UNAUTHORIZED'])
    expect(await post(b, hello, { 'tidemark-origin': 'x' })).toEqual([200, undefined])
  })

  it('of rows with too many values, of an unknown type or of a table that was not named change nothing', async () => {
    const [a, b] = [await sites.add('a', { schema: SCHEMA }), await sites.add('b', { schema: SCHEMA })]
    const propagator = sites.propagator(a, [b], { capture: TABLES })
    await propagator.flush()
    a.run(`INSERT INTO users VALUES (1, 'x', 1)`)
    b.gate = () => Promise.resolve(new Response('', { status: 500 }))
    await propagator.flush()
    b.gate = undefined
    await expect.poll(async () => (await propagator.flush()).behind, { interval: 5 }).toEqual([])
    const unit = b.posts.findLast((body) => body.includes('"type":"unit"')) ?? ''
    const before = b.cells('users')
    for (const [from, to] of [['[0,0,', '[0,0,1,2,3,4,'], ['[0,0,', '[0,7,'], ['[0,0,', '[9,0,'], ['"key":["id"]', '"key":["other"]'], ['"x"', '{"b":"%%"}'], ['"x"', '{"i":"1.5"}'], ['"x"', '{"i":"9223372036854775808"}'], ['"x"', '[]'], ['"x"', '{}']] as const) {
      expect(unit).toContain(from)
      expect(await post(b, unit.replace(from, to)), to).toEqual([400, 'REQUEST_INVALID'])
    }
    expect(b.cells('users')).toEqual(before)
  })

  it('that are replayed, one or all of them, in any order, change nothing for good', async () => {
    const [a, b] = [await sites.add('a', { schema: SCHEMA }), await sites.add('b', { schema: SCHEMA })]
    const propagator = sites.propagator(a, [b], { capture: TABLES, batch: { rows: 4 } })
    a.run(`INSERT INTO users VALUES (1, 'there before', 1)`)
    for (let id = 2; id < 12; id += 1) {
      await propagator.flush()
      a.run(`INSERT INTO users VALUES (${id}, 'x', 0); UPDATE users SET n = n + 1; DELETE FROM users WHERE id = ${id - 3}`)
    }
    await propagator.flush()
    const settled = b.cells('users')
    const recorded = [...b.posts]
    expect(recorded.length).toBeGreaterThan(20)
    for (const body of recorded) {
      await post(b, body)
      expect(b.cells('users')).toEqual(settled)
    }
    for (const body of recorded.toReversed()) await post(b, body)
    expect(b.cells('users')).toEqual(settled)
    a.run(`INSERT INTO users VALUES (99, 'goes on', 0)`)
    await propagator.flush()
    expect(b.cells('users')).toEqual(a.cells('users'))
  })

  it('that arrive in another order are taken in the right one', async () => {
    const [a, b] = [await sites.add('a', { schema: SCHEMA }), await sites.add('b', { schema: SCHEMA })]
    const propagator = sites.propagator(a, [b], { capture: TABLES })
    await propagator.flush()
    // The second comes before the first, which the network had kept.
    let kept: string | undefined
    b.gate = async (body, through) => {
      if (kept !== undefined || !body.includes('"type":"unit"')) return through()
      kept = body
      return new Response('', { status: 504 })
    }
    a.run(`INSERT INTO users VALUES (1, 'first', 1)`)
    await propagator.flush()
    a.run(`UPDATE users SET name = 'second'; DELETE FROM users; INSERT INTO users VALUES (2, 'third', 1)`)
    await expect.poll(async () => (await propagator.flush()).behind, { interval: 5 }).toEqual([])
    expect(kept).toBeDefined()
    await post(b, kept ?? '')
    expect(b.cells('users')).toEqual(a.cells('users'))
    a.run('UPDATE users SET n = 5')
    await propagator.flush()
    expect(b.cells('users')).toEqual(a.cells('users'))
  })
})
