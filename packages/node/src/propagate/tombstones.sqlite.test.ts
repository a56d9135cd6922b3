import { describe, expect, it } from 'vitest'
import { addWriter, writerPropagator } from '../test/join-writers.ts'
import { movableRuntime } from '../test/movable-runtime.ts'
import { useSites, type Site, type SiteOptions } from '../test/use-sites.ts'

const CAPTURE = { capture: ['notes'] } as const
const SCHEMA = 'CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)'
const HOUR_MS = 3_600_000

const many = (count: number): string => `WITH RECURSIVE i (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM i WHERE n < ${count}) INSERT INTO notes SELECT n, 'row ' || n FROM i`

function chunksIn(posts: readonly string[]): readonly { readonly rows: readonly unknown[]; readonly tombstones: readonly unknown[] }[] {
  return posts.map((body) => JSON.parse(body) as { readonly type: string; readonly rows: readonly unknown[]; readonly tombstones: readonly unknown[] }).filter(({ type }) => type === 'chunk')
}

describe('rows that are gone', () => {
  const sites = useSites()
  const add = (name: string, options: SiteOptions = {}): Promise<Site> => addWriter(sites, name, { schema: SCHEMA, ...CAPTURE, ...options })

  /** What is written before a propagator has looked for the first time has no version. */
  const looksFirst = async (from: Site, to: Site): Promise<void> => {
    to.gate = () => Promise.resolve(new Response('', { status: 503 }))
    await using propagator = writerPropagator(sites, [from, [to]], CAPTURE)
    await propagator.flush()
    to.gate = undefined
  }

  it('come in as many messages as they need, and no old change brings one of them back', { timeout: 60_000 }, async () => {
    const [a, b, c] = [await add('a'), await add('b', { maxMessageBytes: 16_384 }), await add('c')]
    await looksFirst(a, b)
    a.run(many(30_000))
    a.run('DELETE FROM notes WHERE id > 10')
    expect((await writerPropagator(sites, [a, [b]], CAPTURE).flush()).behind).toEqual([])
    expect(b.cells('notes')).toEqual(a.cells('notes'))
    const runtime = movableRuntime()
    runtime.advance(-HOUR_MS)
    c.run(`INSERT INTO notes VALUES (11, 'old'), (29999, 'old'), (30000, 'old'), (30001, 'never gone')`)
    expect((await writerPropagator(sites, [c, [b]], { ...CAPTURE, runtime }).flush()).behind).toEqual([])
    a.run(`INSERT INTO notes VALUES (30001, 'never gone')`)
    expect(b.cells('notes')).toEqual(a.cells('notes'))
    expect(Math.max(...chunksIn(b.posts).map(({ tombstones }) => tombstones.length))).toBeLessThan(2_049)
  })

  it('go on where they stopped, by bytes too, whoever sends them', async () => {
    const [a, b] = [await add('a', { schema: 'CREATE TABLE notes (id TEXT NOT NULL PRIMARY KEY, body TEXT)' }), await add('b', { schema: 'CREATE TABLE notes (id TEXT NOT NULL PRIMARY KEY, body TEXT)' })]
    await looksFirst(a, b)
    a.run(`WITH RECURSIVE i (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM i WHERE n < 200) INSERT INTO notes SELECT printf('%0*d', 100, n), 'x' FROM i`)
    a.run(`DELETE FROM notes WHERE id > printf('%0*d', 100, 20)`)
    const [taken, given]: readonly [string[], string[]] = [[], []]
    for (let chunks = 0; chunks < 60 && given.at(-1) !== ''; chunks += 1) {
      let isThrough = false
      b.gate = async (body, through) => {
        if (isThrough) return new Response('', { status: 503 })
        isThrough = body.includes('"type":"chunk"')
        taken.push(body)
        return through()
      }
      await using propagator = writerPropagator(sites, [a, [b]], { ...CAPTURE, batch: { bytes: 2_048 } })
      given.push((await propagator.flush()).behind.join())
    }
    expect(given.at(-1)).toBe('')
    expect(b.cells('notes')).toEqual(a.cells('notes'))
    const pages = chunksIn(taken).map(({ tombstones }) => tombstones.length)
    expect(pages.reduce((sum, page) => sum + page, 0)).toBe(180)
    expect(Math.max(...pages)).toBeLessThan(12)
    expect(pages.filter((page) => page > 0).length).toBeGreaterThan(15)
  })

  it('are none of a table where nothing was deleted, which costs no message', async () => {
    const [a, b] = [await add('a'), await add('b')]
    a.run(many(10))
    expect((await writerPropagator(sites, [a, [b]], CAPTURE).flush()).behind).toEqual([])
    expect(chunksIn(b.posts)).toMatchObject([{ tombstones: [] }])
  })

  it('are not sent to a peer that goes on where no copy has stopped', async () => {
    const [a, b] = [await add('a'), await add('b')]
    await looksFirst(a, b)
    a.run(many(10))
    b.gate = async (_body, through) => {
      const answer = await (await through()).text()
      return new Response(answer.replace('"after":null', '"after":"17"'))
    }
    const propagator = writerPropagator(sites, [a, [b]], CAPTURE)
    expect((await propagator.flush()).behind).toEqual(['b'])
    expect(propagator.status().peers[0]?.lastError?.code).toBe('PEER_ANSWER_INVALID')
    expect(chunksIn(b.posts)).toEqual([])
  })
})
