import { DatabaseSync } from 'node:sqlite'
import { Replicator, type Replication, type ReplicatorOptions, type SourceDialect, type SyncResult } from '@tidemark/core'
import { TidemarkError } from '@tidemark/core/adapter'
import { FakeRuntime } from '@tidemark/core/testing'
import { describe, expect, it } from 'vitest'
import { nodeSqliteSource } from './node-sqlite-source.ts'
import { nodeSqliteTarget } from './node-sqlite-target.ts'
import { cells } from './test/cells.ts'
import { useFolder } from './test/use-folder.ts'

const MINUTE_MS = 60_000
const path = useFolder()
const source = (): SourceDialect => nodeSqliteSource({ path: path('source.db') })

function write(sql: string): void {
  using database = new DatabaseSync(path('source.db'))
  database.exec(sql)
}

function fill(table: string, rows: number, changed = 'n'): void {
  write(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY, changed INTEGER);
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${rows}) INSERT INTO ${table} SELECT n, ${changed} FROM numbers`)
}

function open(replications: readonly Partial<Replication>[], options: Partial<ReplicatorOptions> = {}): Replicator {
  return new Replicator({
    target: nodeSqliteTarget({ path: path('copy.db') }), instance: 'object', jitter: 0,
    replications: replications.map((replication) => ({
      name: replication.sourceTable ?? '', source: source(), sourceTable: '', trackingColumn: 'changed', settleGraceMs: 0, reconcile: false, ...replication,
    })),
    ...options,
  })
}

/** Where any look at the clock takes a millisecond, so that there is time for one step in a budget of one. */
class HastyRuntime extends FakeRuntime {
  #looks = 0

  override now(): number {
    this.#looks += 1
    return super.now() + this.#looks
  }
}

const ONE_STEP = { budget: { ms: 1 } }

/** The source, which does not answer as long as `gate` says so. */
function behind(gate: () => Promise<void> | void): SourceDialect {
  const dialect = source()
  return { ...dialect, connect: async (options) => {
    await gate()
    return dialect.connect(options)
  } }
}

function holdable(): { readonly source: SourceDialect; readonly arrived: Promise<void>; readonly go: () => void } {
  let arrive = (): void => {}
  let go = (): void => {}
  const arrived = new Promise<void>((resolve) => void (arrive = resolve))
  const gone = new Promise<void>((resolve) => void (go = resolve))
  return { arrived, go: () => go(), source: behind(() => {
    arrive()
    return gone
  }) }
}

/** Calls until it is so, and tells how often. */
async function callUntil(replicator: Replicator, isSo: () => boolean): Promise<number> {
  for (let calls = 1; calls <= 60; calls += 1) {
    await replicator.stepDue(ONE_STEP)
    if (isSo()) return calls
  }
  throw new Error('It does not come to an end.')
}

function same(table: string): void {
  expect(cells(path('copy.db'), `SELECT * FROM ${table} ORDER BY id`)).toEqual(cells(path('source.db'), `SELECT * FROM ${table} ORDER BY id`))
}

describe('a slice of what is due', () => {
  it('loads a table step by step, by another process each time', async () => {
    fill('users', 1_000)
    const runtime = new HastyRuntime()
    const loaded: (number | undefined)[] = []
    for (let phase = 'new', calls = 0; phase !== 'live' || loaded.at(-1) !== undefined; calls += 1) {
      await using replicator = open([{ sourceTable: 'users' }], { runtime, slice: { rows: 100 } })
      await replicator.stepDue(ONE_STEP)
      const [status] = await replicator.status()
      phase = status?.phase ?? ''
      loaded.push(status?.loadedRows)
      expect(calls).toBeLessThan(30)
    }
    expect(loaded.filter((rows) => rows !== undefined && rows > 0).length).toBeGreaterThan(2)
    same('users')
  })

  it('is not due again before its interval is over, and counts the rows of all of its slices', async () => {
    fill('users', 1_000)
    const runtime = new HastyRuntime()
    await using replicator = open([{ sourceTable: 'users', syncIntervalMinutes: 5 }], { runtime, slice: { rows: 100 } })
    const ended: SyncResult[] = []
    let starts = 0
    replicator.on('sync:success', (result) => ended.push(result))
    replicator.on('sync:start', () => { starts += 1 })
    await callUntil(replicator, () => ended.length > 0)
    expect([ended.length, ended[0]?.rows, starts]).toEqual([1, 1_000, 1])
    const { nextAtMs: next } = await replicator.stepDue(ONE_STEP)
    expect((next ?? 0) - runtime.now()).toBeGreaterThan(4.9 * MINUTE_MS)
    expect([ended.length, starts]).toEqual([1, 1])
    expect((await replicator.status())[0]).toMatchObject({ activity: 'waiting', nextSyncAtMs: next })
    await runtime.advance(5 * MINUTE_MS)
    write('INSERT INTO users VALUES (2000, 2000)')
    await callUntil(replicator, () => ended.length > 1)
    expect(ended[1]?.rows).toBe(1)
    same('users')
  })

  it.each([
    ['rows without a tracking value', { nullTracking: 'include' }],
    ['a reload of all', { mode: 'full' }],
    ['a reconcile', { reconcile: { intervalMinutes: 0.000_01 } }],
  ] as const)('gets to the end of %s, one step a call', async (_what, options) => {
    fill('users', 3_000, 'iif(n % 3 = 0, n, NULL)')
    write(`UPDATE users SET changed = id WHERE ${'nullTracking' in options ? 0 : 1}`)
    const runtime = new HastyRuntime()
    await using replicator = open([{ sourceTable: 'users', syncIntervalMinutes: 5, ...options }], { runtime, slice: { rows: 500 } })
    let successes = 0
    replicator.on('sync:success', () => { successes += 1 })
    for (const round of [1, 2, 3]) {
      write(`DELETE FROM users WHERE id = ${round}; UPDATE users SET changed = changed WHERE 0`)
      expect(await callUntil(replicator, () => successes === round)).toBeGreaterThan(1)
      await runtime.advance(5 * MINUTE_MS)
    }
    if (!('nullTracking' in options)) same('users')
  })

  it('gives each its own time, and runs no other', async () => {
    for (const table of ['often', 'seldom', 'nightly', 'never']) fill(table, 3)
    const runtime = new FakeRuntime({ startMs: Date.UTC(2024, 0, 1, 12) })
    const options = [
      { sourceTable: 'often', syncIntervalMinutes: 1 }, { sourceTable: 'seldom', syncIntervalMinutes: 10 },
      { sourceTable: 'nightly', schedule: '0 3 * * *' }, { sourceTable: 'never', schedule: 'manual' },
    ]
    const seen: string[] = []
    const call = async (): Promise<number> => {
      // Another process each time.
      await using replicator = open(options, { runtime })
      replicator.on('sync:success', ({ name }) => seen.push(name))
      return ((await replicator.stepDue()).nextAtMs ?? 0) - runtime.now()
    }
    expect(await call()).toBe(MINUTE_MS)
    expect(seen.toSorted()).toEqual(['often', 'seldom'])
    await runtime.advance(MINUTE_MS)
    expect(await call()).toBe(MINUTE_MS)
    await runtime.advance(9 * MINUTE_MS)
    await call()
    // Nobody was there at three.
    await runtime.advance(16 * 60 * MINUTE_MS)
    await call()
    await call()
    expect(seen.slice(2).toSorted()).toEqual(['nightly', 'often', 'often', 'often', 'seldom', 'seldom'])
  })

  it('leaves alone what is paused, and ends where nothing is due by itself', async () => {
    fill('users', 3)
    await using replicator = open([{ sourceTable: 'users' }], { runtime: new FakeRuntime() })
    await replicator.pause('users')
    expect(await replicator.stepDue()).toEqual({ nextAtMs: undefined })
    expect((await replicator.status())[0]).toMatchObject({ activity: 'paused', phase: 'new' })
    await replicator.resume('users')
    await replicator.stepDue()
    same('users')
  })

  it('takes turns, so that a long load keeps nobody out', async () => {
    fill('large', 2_000)
    fill('small', 2)
    await using replicator = open([{ sourceTable: 'large' }, { sourceTable: 'small' }], { runtime: new HastyRuntime(), concurrency: 1, slice: { rows: 100 } })
    const seen: string[] = []
    replicator.on('sync:success', ({ name }) => seen.push(name))
    await callUntil(replicator, () => seen.length === 2)
    expect(seen).toEqual(['small', 'large'])
  })

  it('refuses a budget that is no time, and ends when the signal says so', async () => {
    fill('users', 3)
    await using replicator = open([{ sourceTable: 'users' }])
    await expect(replicator.stepDue({ budget: { ms: Number.NaN } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(replicator.stepDue({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
  })
})

describe('a source that is down', () => {
  it('is tried again with growing delays, also by another process, and holds up no other', async () => {
    fill('users', 3)
    fill('others', 3)
    const runtime = new FakeRuntime({ seed: 3 })
    let isDown = true
    const lame = behind(() => {
      if (isDown) throw new TidemarkError('SOURCE_UNREACHABLE', 'It is down.')
    })
    const options = [{ sourceTable: 'users', source: lame, syncIntervalMinutes: 60 }, { sourceTable: 'others', syncIntervalMinutes: 60 }]
    const delays: number[] = []
    for (let failures = 1; failures <= 4; failures += 1) {
      await using replicator = open(options, { runtime, retry: { attempts: 4, baseMs: 1_000, maxMs: 100_000 } })
      const delayMs = ((await replicator.stepDue()).nextAtMs ?? 0) - runtime.now()
      expect((await replicator.status()).map(({ activity }) => activity)).toEqual(['failed', 'waiting'])
      expect(await replicator.logs({ name: 'users' })).toHaveLength(failures)
      // Not before its time.
      await replicator.stepDue()
      expect(await replicator.logs({ name: 'users' })).toHaveLength(failures)
      delays.push(delayMs)
      await runtime.advance(delayMs)
    }
    same('others')
    const [first = 0, second = 0, third = 0, fourth = 0] = delays
    expect([first < 2_000, second < 4_000, third < 8_000]).toEqual([true, true, true])
    expect(fourth).toBeGreaterThan(59 * MINUTE_MS)
    isDown = false
    await using replicator = open(options, { runtime })
    await runtime.advance(60 * MINUTE_MS)
    await replicator.stepDue()
    expect((await replicator.status())[0]).toMatchObject({ activity: 'waiting', lastError: undefined })
    same('users')
  })
})

describe('a run that is under way', () => {
  it('is neither joined nor begun again, and others get on', async () => {
    fill('users', 3)
    fill('others', 3)
    const runtime = new FakeRuntime()
    const held = holdable()
    await using replicator = open([{ sourceTable: 'users', source: held.source }, { sourceTable: 'others' }], { runtime, leaseTtlMs: 7_000 })
    const running = replicator.syncNow('users')
    await held.arrived
    expect(await replicator.stepDue()).toEqual({ nextAtMs: runtime.now() + 7_000 })
    same('others')
    held.go()
    await running
    same('users')
    expect(await replicator.stepDue()).toEqual({ nextAtMs: runtime.now() + 60 * MINUTE_MS })
  })

  it('may be another process\'s', async () => {
    fill('users', 3)
    const runtime = new FakeRuntime()
    const held = holdable()
    await using other = open([{ sourceTable: 'users', source: held.source }], { runtime, instance: 'other' })
    const running = other.syncNow('users')
    await held.arrived
    await using replicator = open([{ sourceTable: 'users' }], { runtime })
    expect(await replicator.stepDue()).toEqual({ nextAtMs: runtime.now() + 10_000 })
    expect(await replicator.logs()).toEqual([])
    held.go()
    await running
  })

  it('is waited for by who asks for a sync, where it is a slice, and all of a sync follows', async () => {
    fill('users', 2_000)
    const held = holdable()
    await using replicator = open([{ sourceTable: 'users', source: held.source }], { runtime: new HastyRuntime(), slice: { rows: 100 } })
    const slice = replicator.stepDue(ONE_STEP)
    await held.arrived
    const sync = replicator.syncNow('users')
    held.go()
    await slice
    expect((await sync).rows).toBe(2_000)
    same('users')
  })
})
