import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeCheckpoint } from '../change/change-checkpoint.ts'
import { printPosition } from '../change/log-position.ts'
import type { ChangeBatch } from '../change/change-batch.ts'
import { FakeRuntime } from '../runtime/fake-runtime.ts'
import { memoryStateStore } from '../state/memory-state-store.ts'
import type { StateStore } from '../state/state-store.ts'
import { ChangeStream } from './change-stream.ts'
import { ScriptedLog, type Write } from './test/scripted-log.ts'

/** A turn of the fake clock costs a real millisecond. */
const RUNS = 200
const TIMEOUT_MS = 120_000

const TABLES = ['orders', 'users'] as const
const SUBSCRIBERS = ['a', 'b', 'c'] as const

type Action =
  | { readonly kind: 'commit'; readonly writes: readonly { readonly table: number; readonly id: number; readonly isDelete: boolean }[] }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'subscribe'; readonly index: number; readonly delayMs: number; readonly failures: number }
  | { readonly kind: 'crash' }
  | { readonly kind: 'restart' }
  | { readonly kind: 'fault'; readonly method: 'readChanges' | 'readChunk' | 'head' | 'verify' | 'retain'; readonly times: number }

const write = fc.record({ table: fc.nat(1), id: fc.nat(12), isDelete: fc.boolean() })
const actions: fc.Arbitrary<readonly Action[]> = fc.array(fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('commit' as const), writes: fc.array(write, { minLength: 1, maxLength: 9 }) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(1_500) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('subscribe' as const), index: fc.nat(2), delayMs: fc.constantFrom(0, 0, 30, 200), failures: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'crash' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fault' as const), method: fc.constantFrom('readChanges', 'readChunk', 'head', 'verify', 'retain'), times: fc.integer({ min: 1, max: 3 }) }) },
), { minLength: 5, maxLength: 60 })

/** What one subscriber has seen over all lives of its process. */
class History {
  readonly lives: { readonly savedBefore: string; readonly batches: ChangeBatch[] }[] = []

  get events() {
    return this.lives.flatMap(({ batches }) => batches.flatMap(({ events }) => events))
  }
}

/** A process that serves the stream, until it crashes: then nothing of it gets through any more. */
class Process {
  readonly #log: ScriptedLog
  readonly #runtime: FakeRuntime
  readonly stream: ChangeStream
  readonly #store: StateStore
  #isDead = false
  readonly subscribed = new Set<string>()

  constructor(log: ScriptedLog, runtime: FakeRuntime, store: StateStore, snapshot: 'initial' | 'none') {
    this.#log = log
    this.#runtime = runtime
    this.#store = store
    const guarded: StateStore = { ...store, set: (key, value, expected) => (this.#isDead ? new Promise(() => undefined) : store.set(key, value, expected)) }
    const source = { ...log.source, connect: async () => ({ ...await log.source.connect(), retain: this.#retain() }) }
    this.stream = new ChangeStream({
      source, snapshot, checkpoints: guarded, runtime, instance: 'worker', stopGraceMs: 5,
      batch: { events: 4, bytes: 1_000 }, buffer: { bytes: 1_000 }, retry: { baseMs: 10, maxMs: 50 },
    })
  }

  async subscribe(id: string, history: History, { delayMs, failures }: { readonly delayMs: number; readonly failures: number }): Promise<void> {
    if (this.subscribed.has(id)) return
    this.subscribed.add(id)
    const batches: ChangeBatch[] = []
    let left = failures
    const saved = await this.#store.get(`stream/default/db/${id}`)
    history.lives.push({ savedBefore: saved === undefined ? '' : printPosition(decodeCheckpoint(saved.value).position), batches })
    await this.#settled(this.stream.subscribe({ id }, async (batch) => {
      if (delayMs > 0) await this.#runtime.sleep(delayMs)
      if (left > 0) {
        left -= 1
        throw new Error('not yet')
      }
      if (!this.#isDead) batches.push(batch)
    }))
  }

  async crash(): Promise<void> {
    this.#isDead = true
    await this.stop()
  }

  async stop(): Promise<void> {
    await this.#settled(this.stream.stop())
  }

  #retain() {
    const retain = this.#log.source.connect().then((connection) => connection.retain)
    return async (request: Parameters<Awaited<typeof retain>>[0]) => {
      if (!this.#isDead) await (await retain)(request)
    }
  }

  /** Lets time pass until it is done. */
  async #settled<T>(work: Promise<T>): Promise<T> {
    let isDone = false
    void work.catch(() => undefined).then(() => { isDone = true })
    for (let turn = 0; !isDone && turn < 2_000; turn += 1) await this.#runtime.advance(5)
    return work
  }
}

async function play(script: readonly Action[], options: { readonly snapshot: 'initial' | 'none'; readonly rereads: boolean; readonly resumes: boolean }) {
  const log = new ScriptedLog({ pollIntervalMs: 400, rereads: options.rereads, resumes: options.resumes })
  const runtime = new FakeRuntime({ seed: 3 })
  const store = memoryStateStore()
  const histories = new Map<string, History>(SUBSCRIBERS.map((id) => [id, new History()]))
  const begins = new Map<string, number>()
  let count = 0
  let process = new Process(log, runtime, store, options.snapshot)
  const subscribe = async (id: string, pace: { readonly delayMs: number; readonly failures: number }) => {
    const history = histories.get(id) ?? new History()
    if (!begins.has(id)) begins.set(id, log.allEvents.length)
    await process.subscribe(id, history, pace)
  }
  // What does not outlive its process is tried within one.
  for (const action of options.resumes ? script : script.filter(({ kind }) => kind !== 'crash' && kind !== 'restart')) {
    switch (action.kind) {
      case 'commit': {
        const writes = action.writes.flatMap(({ table, id, isDelete }): Write[] => [{ table: TABLES[table === 0 ? 0 : 1], id, value: isDelete ? null : `v${count += 1}` }])
        log.commit(...possible(log, writes))
        break
      }
      case 'advance': await runtime.advance(action.ms); break
      case 'subscribe': await subscribe(SUBSCRIBERS[action.index] ?? 'a', action); break
      case 'crash':
      case 'restart':
        await (action.kind === 'crash' ? process.crash() : process.stop())
        process = new Process(log, runtime, store, options.snapshot)
        break
      case 'fault': log.fail(action.method, 'SOURCE_UNREACHABLE', action.times); break
      default: action satisfies never
    }
  }
  log.heal()
  // Everybody who was ever there comes back, and the log comes to rest.
  for (const id of begins.keys()) await subscribe(id, { delayMs: 0, failures: 0 })
  const measure = async () => (await process.stream.listSources()).flatMap(({ subscribers }) => subscribers.map(({ lag, state }) => (state === 'streaming' ? lag?.events : state)))
  let lags = await measure()
  for (let turn = 0; turn < 100 && lags.some((events) => events !== 0); turn += 1) {
    await runtime.advance(400)
    lags = await measure()
  }
  await process.stop()
  return { log, histories, begins, runtime, lags }
}

/** Without deletes of rows that are not there; never empty. */
function possible(log: ScriptedLog, writes: readonly Write[]): readonly Write[] {
  const there = new Set([...log.rows].flatMap(([table, rows]) => [...rows.keys()].map((id) => `${table}:${id}`)))
  const kept = writes.filter(({ table, id, value }) => {
    const key = `${table}:${id}`
    if (value === null) return there.delete(key)
    there.add(key)
    return true
  })
  return kept.length > 0 ? kept : [{ table: 'users', id: 99, value: 'always' }]
}

const LOGS = [
  { name: 'is read by many', rereads: true, resumes: true },
  { name: 'is read once', rereads: false, resumes: true },
  { name: 'is read once and ends with its process', rereads: false, resumes: false },
] as const

for (const { name, rereads, resumes } of LOGS) {
  describe(`over random histories, crashes and faults of a log that ${name}`, () => {
    it('every durable subscriber gets every change in commit order, and repeats only what it had not saved', async () => {
      await fc.assert(fc.asyncProperty(actions, async (script) => {
        const { log, histories, begins, lags } = await play(script, { snapshot: 'none', rereads, resumes })
        expect(lags.every((events) => events === 0)).toBe(true)
        for (const [id, begin] of begins) {
          const { events, lives } = histories.get(id) ?? new History()
          const wanted = log.allEvents.slice(begin).map((event) => event.id)
          expect([...new Set(events.map((event) => event.id))]).toEqual(wanted)
          for (const { savedBefore, batches } of lives) {
            const positions = batches.flatMap((batch) => batch.events.map(({ source }) => source.position))
            expect(positions).toEqual([...new Set(positions)].sort())
            expect(positions.every((position) => position > savedBefore)).toBe(true)
            expectWholeTransactions(batches)
          }
        }
      }), { numRuns: RUNS })
    }, TIMEOUT_MS)

    it('snapshot and changes together give the final rows', async () => {
      await fc.assert(fc.asyncProperty(actions, async (script) => {
        const { log, histories, begins, lags } = await play(script, { snapshot: 'initial', rereads, resumes })
        expect(lags.every((events) => events === 0)).toBe(true)
        const wanted = new Map([...log.rows].flatMap(([table, rows]) => [...rows].map(([id, value]) => [`${table}:${id}`, value] as const)))
        for (const id of begins.keys()) {
          const rows = new Map<string, string>()
          for (const { table, key, after } of histories.get(id)?.events ?? []) {
            const row = `${table}:${String(key?.['id'])}`
            if (after === null) rows.delete(row)
            else rows.set(row, String(after['value']))
          }
          expect(new Map([...rows].sort())).toEqual(new Map([...wanted].sort()))
        }
      }), { numRuns: RUNS })
    }, TIMEOUT_MS)
  })
}

/** Between a part that begins and the one that commits nothing else comes, and only a commit has a checkpoint. */
function expectWholeTransactions(batches: readonly ChangeBatch[]): void {
  let isOpen = false
  for (const { begin, commit, checkpoint } of batches) {
    expect(begin).toBe(!isOpen)
    expect(checkpoint === null).toBe(!commit)
    isOpen = !commit
  }
}
