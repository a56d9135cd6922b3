import type { ConflictRules, Propagator } from '@tidemark/core'
import type { ResolveConflict, RowConflict } from '@tidemark/core/adapter'
import { describe, expect, it } from 'vitest'
import { sqliteChanges } from '../sqlite-changes.ts'
import { addWriter, LAST_WRITER_WINS, writerPropagator } from '../test/join-writers.ts'
import { movableRuntime } from '../test/movable-runtime.ts'
import { settle, useSites, type SendingOptions, type Site, type SiteOptions } from '../test/use-sites.ts'

const CAPTURE = { capture: ['notes'] } as const
const SCHEMA = 'CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT, n INT)'
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

function errorAt(propagator: Propagator): string | undefined {
  return propagator.status().peers[0]?.lastError?.code
}

function bodies(site: Site): readonly string[] {
  return site.cells('notes').map((row) => Buffer.from(String((row as readonly unknown[])[3]), 'hex').toString()) // each cell is its type and its digits or bytes
}

describe('rules that all instances must share', () => {
  const sites = useSites()
  const add = (name: string, options: SiteOptions = {}): Promise<Site> => addWriter(sites, name, { schema: SCHEMA, ...CAPTURE, ...options })
  const toward = (from: Site, to: Site, options: Partial<SendingOptions> = {}): Propagator => writerPropagator(sites, [from, [to]], { ...CAPTURE, ...options })

  it.each([
    ['one writer', { conflicts: 'single-writer' }, LAST_WRITER_WINS],
    ['several writers', LAST_WRITER_WINS, { conflicts: 'single-writer' }],
  ] satisfies readonly (readonly [string, ConflictRules, ConflictRules])[])('stop the peer, which has nothing done to it, where a sender of %s meets another, until they are the same', async (_name, sending, receiving) => {
    const [a, b] = [await add('a'), await add('b', receiving)]
    a.run(`INSERT INTO notes VALUES (1, 'x', 1)`)
    const runtime = movableRuntime()
    const propagator = toward(a, b, { ...sending, runtime })
    expect((await propagator.flush()).behind).toEqual(['b'])
    expect(errorAt(propagator)).toBe('PEER_POLICY_DIFFERS')
    expect(b.cells('notes')).toEqual([])
    await b.restart(sending)
    runtime.advance(MINUTE_MS)
    expect((await propagator.flush()).behind).toEqual([])
    expect(b.cells('notes')).toEqual(a.cells('notes'))
  })

  it('keep what a clock ahead has written waiting until its time has come', async () => {
    const [ahead, receiving] = [movableRuntime(), movableRuntime()]
    ahead.advance(10 * MINUTE_MS)
    const [a, b] = [await add('a'), await add('b', { runtime: receiving })]
    const propagator = toward(a, b, { runtime: ahead })
    await propagator.flush()
    a.run(`INSERT INTO notes VALUES (1, 'of the future', 1)`)
    b.run(`INSERT INTO notes VALUES (2, 'of today', 1)`)
    expect((await propagator.flush()).behind).toEqual(['b'])
    expect(errorAt(propagator)).toBe('CLOCK_AHEAD')
    expect(bodies(b)).toEqual(['of today'])
    receiving.advance(10 * MINUTE_MS)
    ahead.advance(MINUTE_MS)
    expect((await propagator.flush()).behind).toEqual([])
    expect(bodies(b)).toEqual(['of the future', 'of today'])
  })

  it('need the log of the receiver, and say so', async () => {
    const [a, b] = [await add('a'), await sites.add('b', { schema: SCHEMA, ...LAST_WRITER_WINS })]
    a.run(`INSERT INTO notes VALUES (1, 'x', 1)`)
    const runtime = movableRuntime()
    const propagator = toward(a, b, { runtime })
    expect((await propagator.flush()).behind).toEqual(['b'])
    expect(propagator.status().peers[0]?.lastError).toMatchObject({ code: 'LOG_NOT_OWNED', remedy: expect.stringContaining('install()') as unknown })
    expect(b.cells('notes')).toEqual([])
    await sqliteChanges({ path: b.file }, { tables: ['notes'] }).install()
    runtime.advance(MINUTE_MS)
    expect((await propagator.flush()).behind).toEqual([])
    expect(b.cells('notes')).toEqual(a.cells('notes'))
  })
})

describe('what is remembered of deleted rows', () => {
  const sites = useSites()

  it.each([[30, []], [90, ['old']]])('keeps a change of an hour ago away for `tombstoneMs`: after %s minutes of 60', async (minutes, expected) => {
    const [runtime, past] = [movableRuntime(), movableRuntime()]
    past.advance(-2 * HOUR_MS)
    const rules = { tombstoneMs: HOUR_MS, maxDriftMs: 10 * HOUR_MS }
    const add = (name: string): Promise<Site> => addWriter(sites, name, { schema: SCHEMA, ...CAPTURE, ...rules, runtime })
    const [a, b, late] = [await add('a'), await add('b'), await add('late')]
    const toB = (from: Site, clock = runtime): Propagator => writerPropagator(sites, [from, [b]], { ...CAPTURE, ...rules, runtime: clock })
    const [fromA, fromLate] = [toB(a), toB(late, past)]
    await settle([fromA, fromLate], [b])
    a.run(`INSERT INTO notes VALUES (1, 'first', 1)`)
    await fromA.flush()
    a.run('DELETE FROM notes')
    await fromA.flush()
    expect(b.cells('notes')).toEqual([])
    runtime.advance(minutes * MINUTE_MS)
    late.run(`INSERT INTO notes VALUES (1, 'old', 1)`)
    for (let look = 0; look < 2; look += 1) {
      late.run('UPDATE notes SET n = n + 1')
      await fromLate.flush()
    }
    expect(bodies(b)).toEqual(expected)
  })
})

describe('a function that decides', () => {
  const sites = useSites()
  const asked: RowConflict[] = []
  /** The greater number, which is only ever raised. */
  const greater: ResolveConflict = (conflict) => {
    asked.push(conflict)
    const [mine, theirs] = [Number(conflict.mine.row?.['n'] ?? 0), Number(conflict.theirs.row?.['n'] ?? 0)]
    if (mine !== theirs) return mine > theirs ? 'mine' : 'theirs'
    return conflict.mine.version > conflict.theirs.version ? 'mine' : 'theirs'
  }

  it('chooses the same in both directions, against the clock, and is asked of nothing else', async () => {
    const rules = { conflicts: greater }
    const add = (name: string): Promise<Site> => addWriter(sites, name, { schema: SCHEMA, ...CAPTURE, ...rules })
    const [a, b] = [await add('a'), await add('b')]
    const propagators = [writerPropagator(sites, [a, [b]], { ...CAPTURE, ...rules }), writerPropagator(sites, [b, [a]], { ...CAPTURE, ...rules })]
    await settle(propagators, [a, b])
    a.run(`INSERT INTO notes VALUES (1, 'there', 1), (2, 'there', 1), (3, 'there', 1)`)
    await settle(propagators, [a, b])
    expect(asked).toEqual([])
    // Each writes both rows before it has seen the other's; b's are later.
    a.run(`UPDATE notes SET body = 'a', n = 10 WHERE id = 1; UPDATE notes SET body = 'a', n = 5 WHERE id = 2`)
    b.gate = a.gate = () => Promise.resolve(new Response('', { status: 503 }))
    for (const propagator of propagators) await propagator.flush()
    b.run(`UPDATE notes SET body = 'b', n = 7 WHERE id = 1; UPDATE notes SET body = 'b', n = 20 WHERE id = 2`)
    b.gate = a.gate = undefined
    await expect.poll(async () => {
      await settle(propagators, [a, b])
      return bodies(a).join()
    }, { interval: 10 }).toBe('a,b,there')
    expect(b.cells('notes')).toEqual(a.cells('notes'))
    expect(new Set(asked.map(({ key }) => String(key)))).toEqual(new Set(['1', '2']))
    expect(asked.find(({ key, theirs }) => String(key) === '1' && theirs.version.endsWith('-a'))).toMatchObject({ table: 'notes', mine: { row: { id: 1, body: 'b', n: 7 } }, theirs: { row: { id: 1, body: 'a', n: 10 } } })
    expect(asked.find(({ key, theirs }) => String(key) === '2' && theirs.version.endsWith('-b'))).toMatchObject({ table: 'notes', mine: { row: { id: 2, body: 'a', n: 5 } }, theirs: { row: { id: 2, body: 'b', n: 20 } } })
  })
})
