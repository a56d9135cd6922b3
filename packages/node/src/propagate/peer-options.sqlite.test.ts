import { DatabaseSync } from 'node:sqlite'
import { createReceiver, Propagator, sqlPeer, type PropagatorOptions, type ReceiverOptions } from '@tidemark/core'
import { describe, expect, it } from 'vitest'
import { nodeSqlitePropagationTarget } from '../node-sqlite-propagation-target.ts'
import { sqliteChanges } from '../sqlite-changes.ts'
import { movableRuntime } from '../test/movable-runtime.ts'
import { useFolder } from '../test/use-folder.ts'
import { settle, useSites, type SendingOptions, type Site } from '../test/use-sites.ts'

const CAPTURE = { capture: ['users'] } as const
const SCHEMA = 'CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)'
const A_WHILE_MS = 60_000

function down(site: Site): void {
  site.gate = () => Promise.resolve(new Response('', { status: 503 }))
}

function loggedIn({ file }: Site): number {
  using database = new DatabaseSync(file, { readOnly: true })
  return Number(database.prepare('SELECT count(*) AS n FROM tidemark_log').get()?.['n'])
}

describe('relay', () => {
  const sites = useSites()

  it.each([[false, 1], [true, 2]])('%s: of what came from another and what is its own, the next one gets %s', async (relay, expected) => {
    const [a, b, c] = [await sites.add('a', { schema: SCHEMA }), await sites.add('b', { schema: SCHEMA }), await sites.add('c', { schema: SCHEMA })]
    const propagators = [sites.propagator(a, [b], CAPTURE), sites.propagator(b, [c], { ...CAPTURE, relay })]
    await settle(propagators, [b, c])
    a.run(`INSERT INTO users VALUES (1, 'of another')`)
    await settle(propagators, [b, c])
    b.run(`INSERT INTO users VALUES (2, 'its own')`)
    await settle(propagators, [b, c])
    expect(b.cells('users')).toHaveLength(2)
    expect(c.cells('users')).toEqual(b.cells('users').slice(2 - expected))
  })
})

describe('forget', () => {
  const sites = useSites()

  it('lets the log go of what it kept for a peer that does not come back, and one that does gets a copy', async () => {
    const [a, b, c] = [await sites.add('a', { schema: SCHEMA }), await sites.add('b', { schema: SCHEMA }), await sites.add('c', { schema: SCHEMA })]
    const both = sites.propagator(a, [b, c], CAPTURE)
    await both.flush()
    down(c)
    for (let id = 0; id < 200; id += 1) a.run(`INSERT INTO users VALUES (${id}, 'x')`)
    expect((await both.flush()).behind).toEqual(['c'])
    await both.stop()
    const runtime = movableRuntime()
    const one = sites.propagator(a, [b], { ...CAPTURE, runtime })
    const look = async (id: number): Promise<void> => {
      a.run(`INSERT INTO users VALUES (${id}, 'x')`)
      runtime.advance(A_WHILE_MS)
      await one.flush()
    }
    await look(1_000)
    expect(loggedIn(a)).toBeGreaterThan(200)
    await one.forget('c')
    await look(1_001)
    expect(loggedIn(a)).toBeLessThan(10)
    await one.stop()
    c.gate = undefined
    expect((await sites.propagator(a, [b, c], CAPTURE).flush()).behind).toEqual([])
    expect(c.cells('users')).toEqual(a.cells('users'))
  })
})

describe('a copy anew', () => {
  const sites = useSites()
  const source: SendingOptions['source'] = { retention: { maxEvents: 20, whenFull: 'discard' } }

  /** A peer behind what the log keeps. */
  const behind = async (): Promise<{ readonly a: Site; readonly b: Site; readonly propagator: Propagator; readonly wait: () => void }> => {
    const [a, b] = [await sites.add('a', { schema: SCHEMA }), await sites.add('b', { schema: SCHEMA })]
    a.run(`INSERT INTO users VALUES (0, 'there before')`)
    await using first = sites.propagator(a, [b], { ...CAPTURE, source })
    await first.flush()
    for (let id = 1; id < 100; id += 1) a.run(`INSERT INTO users VALUES (${id}, 'x')`)
    using log = new DatabaseSync(a.file)
    log.exec('DELETE FROM tidemark_log WHERE seq < (SELECT max(seq) FROM tidemark_log)')
    const runtime = movableRuntime()
    const propagator = sites.propagator(a, [b], { ...CAPTURE, source, runtime })
    b.posts.length = 0
    return { a, b, propagator, wait: () => runtime.advance(A_WHILE_MS) }
  }

  it('is not begun where the peer, asked to begin at one place, answers by another', async () => {
    const { a, b, propagator, wait } = await behind()
    const before = b.cells('users')
    let asked = 0
    b.gate = (body, through) => {
      const isAsked = !body.includes('"restarts":false')
      if (body.includes('"type":"hello"') && isAsked) asked += 1
      return through(body.replace(/"restarts":\[[^\]]*\]/, '"restarts":false'))
    }
    expect((await propagator.flush()).behind).toEqual(['b'])
    expect(asked).toBe(1)
    expect(propagator.status().peers[0]?.lastError?.code).toBe('PEER_BUSY')
    expect(b.posts.filter((body) => !body.includes('"type":"hello"'))).toEqual([])
    expect(b.cells('users')).toEqual(before)
    b.gate = undefined
    wait()
    expect((await propagator.flush()).behind).toEqual([])
    expect(b.cells('users')).toEqual(a.cells('users'))
  })
})

describe('options that are none', () => {
  const path = useFolder()

  it('are refused by sender and receiver, all at once and with the name that was meant', () => {
    const target = nodeSqlitePropagationTarget({ path: path('b') })
    const peer = { name: 'b', address: 'b', maxMessageBytes: 1, send: () => Promise.reject(new Error('Not sent.')), close: () => Promise.resolve() }
    const misspelt = { source: sqliteChanges({ path: path('a') }, { tables: ['users'] }), origin: 'a', peers: [peer], timeoutMS: 1, breaker: { failure: 1 } }
    expect(() => new Propagator(misspelt as PropagatorOptions)).toThrow(expect.objectContaining({
      code: 'CONFIG_INVALID',
      issues: [{ path: 'breaker.failure', message: 'Is not an option. Did you mean `failures`?' }, { path: 'timeoutMS', message: 'Is not an option. Did you mean `timeoutMs`?' }],
    }))
    const rules = { target, authorize: { token: 'canary-token' }, conflicts: 'typo', replaceRows: true } as unknown as ReceiverOptions // what no compiler has seen
    expect(() => createReceiver(rules)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', issues: [expect.objectContaining({ path: 'conflicts' }), expect.objectContaining({ path: 'replaceRows', message: 'Is not an option. Did you mean `replacesRows`?' })] }))
  })

  it('are not needed by a peer that is a database', () => {
    expect(sqlPeer(nodeSqlitePropagationTarget({ path: path('b') })).name).toBe(`sqlite:${path('b')}`)
  })
})
