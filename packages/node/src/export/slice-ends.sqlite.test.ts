import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Exporter, TidemarkError, verifyDump, type ExporterOptions } from '@tidemark/core'
import type { StateStore } from '@tidemark/core/adapter'
import { MemoryObjects, memoryStateStore, memoryStorage, type StorageMoment } from '@tidemark/core/testing'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { observedSource } from '../test/observed-source.ts'
import { useFolder } from '../test/use-folder.ts'
import { nodeSqlite } from './node-sqlite.ts'

const SMALL = { tables: ['t'], fileName: 'dump', partBytes: 1_200, maxStatementBytes: 1_000 } as const
const ROWS = 500

const file = useFolder()
let database: DatabaseSync
let objects: MemoryObjects
let state: StateStore

beforeEach(() => {
  database = new DatabaseSync(file('app.db'))
  onTestFinished(() => database.close())
  database.exec(`PRAGMA journal_mode = WAL; CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT); CREATE TABLE log(id INTEGER PRIMARY KEY);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS}) INSERT INTO t SELECT i, 'value ' || i FROM n`)
  objects = new MemoryObjects()
  state = memoryStateStore()
})

interface Making extends Partial<ExporterOptions> {
  readonly onMoment?: (moment: StorageMoment) => void
}

function make({ onMoment, ...options }: Making = {}): Exporter {
  const storage = memoryStorage({ state: objects, minPartBytes: 500, onMoment })
  const exporter = new Exporter({ source: nodeSqlite({ path: file('app.db') }), storage, state, instance: 'one', retry: { baseMs: 1, maxMs: 1 }, ...options })
  onTestFinished(() => exporter[Symbol.asyncDispose]())
  return exporter
}

/** Whether all that was written can go into the file: nobody reads an earlier instant. */
function isLogFree(): boolean {
  database.exec('INSERT INTO log DEFAULT VALUES')
  return database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy'] === 0
}

function copies(): readonly string[] {
  return readdirSync(file('.')).filter((name) => name.startsWith('app.db-tidemark'))
}

function change(): void {
  database.exec(`UPDATE t SET a = 'changed' WHERE id % 3 = 0; INSERT INTO t(a) VALUES ('changed')`)
}

function dump(): string {
  return [...objects.objects].filter(([key]) => key.endsWith('dump.sql')).map(([, { data }]) => new TextDecoder().decode(data)).join('')
}

/** Fails the operation for as long as it is told to. */
function failing(operation: StorageMoment['operation'], onFailure = (): void => undefined): { readonly onMoment: (moment: StorageMoment) => void; mend(): void } {
  let isBroken = true
  return {
    onMoment: (given) => {
      if (!isBroken || given.operation !== operation || given.moment === 'after' || (given.part ?? 3) < 3) return
      onFailure()
      throw new TidemarkError('STORAGE_BUSY', 'The storage is busy.')
    },
    mend: () => { isBroken = false },
  }
}

describe('the first slice lets go of the database', () => {
  it('when the storage fails, and goes on later from its copy', async () => {
    const { onMoment, mend } = failing('putPart')
    const exporter = make({ onMoment })
    const { id } = await exporter.start(SMALL)
    const { status } = await exporter.step(id)
    expect(status).toMatchObject({ status: 'processing', error: { code: 'STORAGE_BUSY' } })
    expect(isLogFree()).toBe(true)
    expect(copies()).toHaveLength(1)
    change()
    mend()
    expect(await exporter.finish(id)).toMatchObject({ status: 'completed', attempt: 1, totalRowsExported: ROWS })
    expect(dump()).not.toContain('changed')
    expect(copies()).toEqual([])
  })

  it('when the storage fails and no copy can be made, and begins anew later', async () => {
    let part = ''
    const { onMoment, mend } = failing('putPart', () => { mkdirSync(part, { recursive: true }) })
    const exporter = make({ onMoment })
    const { id } = await exporter.start(SMALL)
    part = file(`app.db-tidemark-${id}.1.part`)
    expect((await exporter.step(id)).status.error).toMatchObject({ code: 'STORAGE_BUSY' })
    expect(isLogFree()).toBe(true)
    mend()
    rmSync(part, { recursive: true })
    expect(await exporter.finish(id)).toMatchObject({ status: 'completed', attempt: 2, totalRowsExported: ROWS })
    expect(copies()).toEqual([])
  })

  it('when only sealing fails, and needs no copy for that', async () => {
    const { onMoment, mend } = failing('put')
    const exporter = make({ onMoment })
    const { id } = await exporter.start(SMALL)
    expect((await exporter.step(id)).status.error).toMatchObject({ code: 'STORAGE_BUSY' })
    expect(isLogFree()).toBe(true)
    expect(copies()).toEqual([])
    mend()
    expect(await exporter.finish(id)).toMatchObject({ status: 'completed', attempt: 1, totalRowsExported: ROWS })
  })

  it('when an error ends the export, before it is cleaned up', async () => {
    const exporter = make({ retry: { attempts: 1 }, onMoment: failing('putPart').onMoment })
    const { id } = await exporter.start(SMALL)
    expect((await exporter.step(id)).status).toMatchObject({ status: 'failed' })
    expect(isLogFree()).toBe(true)
  })

  it('when it is aborted, and begins anew later', async () => {
    const exporter = make()
    const controller = new AbortController()
    exporter.on('export:part', () => controller.abort())
    const { id } = await exporter.start(SMALL)
    await exporter.step(id, { signal: controller.signal }).catch(() => undefined)
    expect(isLogFree()).toBe(true)
    expect(await exporter.finish(id)).toMatchObject({ status: 'completed', attempt: 2, totalRowsExported: ROWS })
    expect(copies()).toEqual([])
  })

  it('when another process cancels the export', async () => {
    const other = make({ instance: 'two' })
    const exporter = make({ state: onSave(6, (id) => other.cancel(id)) })
    const { id } = await exporter.start(SMALL)
    expect((await exporter.step(id)).status).toMatchObject({ status: 'cancelled' })
    expect(isLogFree()).toBe(true)
  })

  it('when another process takes the export', async () => {
    const exporter = make({ state: onSave(6, (id) => touch(id)) })
    const { id } = await exporter.start(SMALL)
    await expect(exporter.step(id)).rejects.toMatchObject({ code: 'LEASE_LOST' })
    expect(isLogFree()).toBe(true)
  })

  it('when the state can\'t be saved', async () => {
    const exporter = make({ state: onSave(3, () => { throw new TidemarkError('STATE_CORRUPT', 'The state is broken.') }) })
    const { id } = await exporter.start(SMALL)
    await expect(exporter.step(id)).rejects.toThrow()
    expect(isLogFree()).toBe(true)
  })
})

/** The store, with something done once before a save of that number and, where it throws, before all later ones. */
function onSave(number: number, work: (id: string) => unknown): StateStore {
  let saves = 0
  let isOver = false
  return {
    get: (key) => state.get(key),
    list: (prefix) => state.list(prefix),
    delete: (key) => state.delete(key),
    set: async (...given) => {
      saves += 1
      if (saves >= number && !isOver) {
        await work(given[0].slice('export/'.length))
        isOver = true
      }
      return state.set(...given)
    },
  }
}

/** Saves what is there already, as another process. */
async function touch(id: string): Promise<void> {
  const stored = await state.get(`export/${id}`)
  await state.set(`export/${id}`, stored?.value ?? '', stored?.version)
}

describe('a copy that is open between slices is closed', () => {
  /** One slice is done, and its view open. */
  async function begun(): Promise<{ readonly id: string; readonly exporter: Exporter; readonly isOpen: () => boolean }> {
    const { source, open } = observedSource(nodeSqlite({ path: file('app.db') }))
    const exporter = make({ source })
    const { id } = await exporter.start({ ...SMALL, budget: { bytes: 1 } })
    await exporter.step(id)
    await exporter.step(id)
    expect(open.size).toBe(1)
    return { id, exporter, isOpen: () => open.size > 0 }
  }

  it('when another process is at the export', async () => {
    const { id, exporter, isOpen } = await begun()
    let refused: unknown
    const other = make({ instance: 'two', onMoment: () => { refused ??= exporter.step(id) } })
    await other.step(id)
    await expect(refused).rejects.toMatchObject({ code: 'LEASE_HELD' })
    expect(isOpen()).toBe(false)
  })

  it.each(['step', 'stepDue'] as const)('by %s, when another process has ended the export', async (method) => {
    const { id, exporter, isOpen } = await begun()
    await make({ instance: 'two' }).finish(id)
    await (method === 'step' ? exporter.step(id) : exporter.stepDue())
    expect(isOpen()).toBe(false)
  })

  it('when another process has deleted the export', async () => {
    const { id, exporter, isOpen } = await begun()
    const other = make({ instance: 'two' })
    await other.cancel(id)
    await other.delete(id)
    await exporter.stepDue()
    expect(isOpen()).toBe(false)
  })
})

describe('verifying', () => {
  it('keeps no instant of the database, whose log can begin anew meanwhile', async () => {
    const exporter = make()
    const { id } = await exporter.start(SMALL)
    await exporter.finish(id)
    const pages: boolean[] = []
    const { source } = observedSource(nodeSqlite({ path: file('app.db') }), { onPage: () => void pages.push(isLogFree()) })
    const { findings } = await verifyDump({ storage: memoryStorage({ state: objects }), id, mode: 'rows', against: source })
    expect(findings).toEqual([])
    expect(pages).toContain(true)
    expect(pages).not.toContain(false)
    expect(copies()).toEqual([])
  })
})
