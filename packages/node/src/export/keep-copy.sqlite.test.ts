import { spawnSync } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { existsSync, readdirSync, watch } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { Exporter, type ExporterOptions } from '@tidemark/core'
import type { StateStore } from '@tidemark/core/adapter'
import { FakeRuntime, MemoryObjects, memoryStateStore, memoryStorage } from '@tidemark/core/testing'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { nodeSqliteStateStore } from '../node-sqlite-state-store.ts'
import { fsStorage } from '../storage/fs-storage.ts'
import { observedSource, type SourceHooks } from '../test/observed-source.ts'
import { useFolder } from '../test/use-folder.ts'
import { nodeSqlite } from './node-sqlite.ts'

const REQUEST = { tables: ['t'], fileName: 'dump', partBytes: 1_200, maxStatementBytes: 1_000, budget: { bytes: 1 } } as const
const TTL_MS = 30_000

const file = useFolder()
let database: DatabaseSync
let state: StateStore
let objects: MemoryObjects

beforeEach(() => {
  database = new DatabaseSync(file('app.db'))
  onTestFinished(() => database.close())
  state = memoryStateStore()
  objects = new MemoryObjects()
})

/** A small table to export, and a large one to copy in many steps. */
function fill(mode = 'WAL', mebibytes = 1): void {
  database.exec(`PRAGMA journal_mode = ${mode}; PRAGMA synchronous = OFF; CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT); CREATE TABLE log(id INTEGER PRIMARY KEY); CREATE TABLE large(a);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO t SELECT i, 'value ' || i FROM n;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${mebibytes}) INSERT INTO large SELECT zeroblob(1048576) FROM n`)
}

function make({ onPage, onKeep, ...options }: Partial<ExporterOptions> & SourceHooks = {}): Exporter {
  const { source } = observedSource(nodeSqlite({ path: file('app.db') }), { ...(onPage === undefined ? {} : { onPage }), ...(onKeep === undefined ? {} : { onKeep }) })
  const exporter = new Exporter({ source, storage: memoryStorage({ state: objects, minPartBytes: 500 }), state, instance: 'one', leaseTtlMs: TTL_MS, ...options })
  onTestFinished(() => exporter[Symbol.asyncDispose]())
  return exporter
}

function copies(): readonly string[] {
  return readdirSync(file('.')).filter((name) => name.startsWith('app.db-tidemark'))
}

function isLogFree(): boolean {
  database.exec('INSERT INTO log DEFAULT VALUES')
  return database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy'] === 0
}

/** Fires while the copy is being made. */
function whenCopying(part: string): AbortSignal {
  const controller = new AbortController()
  const watcher = watch(file('.'), () => { if (existsSync(part)) controller.abort() })
  onTestFinished(() => watcher.close())
  return controller.signal
}

describe('a copy that is being made', () => {
  it.each([['at the end of the first slice', 'WAL', 2], ['at the beginning', 'DELETE', 1]])('%s stops when it is told to, and leaves nothing', async (_when, mode, attempt) => {
    fill(mode, 64)
    const exporter = make()
    const { id } = await exporter.start(REQUEST)
    const signal = whenCopying(file(`app.db-tidemark-${id}.1.part`))
    await expect(exporter.step(id, { signal })).rejects.toMatchObject({ code: 'ABORTED' })
    expect(signal.aborted).toBe(true)
    expect(copies()).toEqual([])
    expect(isLogFree()).toBe(true)
    expect(await exporter.finish(id)).toMatchObject({ status: 'completed', attempt, totalRowsExported: 500 })
    expect(copies()).toEqual([])
  })

  it('is of one instant, though it is made in steps and written to in between', async () => {
    fill('WAL', 64)
    const exporter = make()
    exporter.on('export:part', () => database.exec(`UPDATE t SET a = 'changed'`))
    const { id } = await exporter.start(REQUEST)
    const signal = whenCopying(file(`app.db-tidemark-${id}.1.part`))
    signal.addEventListener('abort', () => database.exec('UPDATE t SET a = a || 1; INSERT INTO large VALUES (1)'))
    await exporter.step(id)
    expect(signal.aborted).toBe(true)
    expect(copies()).toEqual([`app.db-tidemark-${id}.1`])
    using copy = new DatabaseSync(file(`app.db-tidemark-${id}.1`), { readOnly: true })
    expect(copy.prepare(`SELECT count(*) AS count FROM t WHERE a = 'value ' || id`).get()).toEqual({ count: 500 })
    expect(copy.prepare('SELECT count(*) AS count FROM large').get()).toEqual({ count: 64 })
  })
})

describe('half a copy, left by a kill while it was made', () => {
  const worker = fileURLToPath(new URL('../test/killed-copy-worker.ts', import.meta.url))

  /** Another process goes on with what the killed one has left. */
  function killed(): { readonly id: string; readonly exporter: Exporter } {
    fill('WAL', 64)
    const { stdout: id, signal } = spawnSync(process.execPath, ['--conditions=tidemark-source', '--disable-warning=ExperimentalWarning', worker, file('app.db'), file('dumps'), file('state.db')], { encoding: 'utf8' })
    expect(signal).toBe('SIGKILL')
    expect(copies()).toContain(`app.db-tidemark-${id}.1.part`)
    expect(copies()).not.toContain(`app.db-tidemark-${id}.1`)
    const kept = nodeSqliteStateStore({ path: file('state.db') })
    onTestFinished(() => kept[Symbol.asyncDispose]())
    return { id, exporter: make({ state: kept, storage: fsStorage(file('dumps')), instance: 'worker' }) }
  }

  it('is not taken for one: the export begins anew, and nothing of it is left', async () => {
    const { id, exporter } = killed()
    expect(await exporter.finish(id)).toMatchObject({ status: 'completed', attempt: 2, totalRowsExported: 500 })
    expect(await exporter.verify(id, { mode: 'rows', against: nodeSqlite({ path: file('app.db') }) })).toMatchObject({ ok: true, findings: [] })
    expect(copies()).toEqual([])
  })

  it('goes with the export when that is cancelled', async () => {
    const { id, exporter } = killed()
    expect(await exporter.cancel(id)).toMatchObject({ status: 'cancelled' })
    expect(copies()).toEqual([])
  })
})

describe('the lease, while a copy takes longer than that', () => {
  /** A step that is about to copy, and waits there. */
  async function keeping(): Promise<{ readonly id: string; readonly runtime: FakeRuntime; readonly step: Promise<unknown>; readonly signal: AbortSignal | undefined; go(): void }> {
    fill()
    const runtime = new FakeRuntime()
    const gate = new EventEmitter()
    const reached = once(gate, 'reached') as Promise<[AbortSignal | undefined]> // as it is emitted here
    const exporter = make({ runtime, onKeep: async (options) => {
      const gone = once(gate, 'go')
      gate.emit('reached', options?.signal)
      await gone
    } })
    const { id } = await exporter.start(REQUEST)
    const step = exporter.step(id)
    step.catch(() => undefined)
    const [signal] = await reached
    return { id, runtime, step, signal, go: () => void gate.emit('go') }
  }

  it('is kept, and nothing goes on when the copy is there', async () => {
    const { id, runtime, step, go } = await keeping()
    await runtime.advance(10 * TTL_MS)
    await expect(make({ runtime, instance: 'two' }).step(id)).rejects.toMatchObject({ code: 'LEASE_HELD' })
    go()
    expect(await step).toMatchObject({ done: false, status: { attempt: 1, steps: 1 } })
    expect(runtime.pending).toBe(0)
    expect(copies()).toHaveLength(1)
  })

  it('stops the copy when another process has taken the export', async () => {
    const { id, runtime, step, signal, go } = await keeping()
    const stored = await state.get(`export/${id}`)
    await state.set(`export/${id}`, stored?.value ?? '', stored?.version)
    const aborted = once(signal ?? new AbortController().signal, 'abort')
    await runtime.advance(TTL_MS)
    await aborted
    go()
    await expect(step).rejects.toMatchObject({ code: 'LEASE_LOST' })
    expect(runtime.pending).toBe(0)
    expect(copies()).toEqual([])
    expect(isLogFree()).toBe(true)
  })
})
