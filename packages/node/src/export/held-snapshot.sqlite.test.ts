import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { Exporter, type ExporterOptions } from '@tidemark/core'
import { MemoryObjects, memoryStateStore, memoryStorage, MortalProcess } from '@tidemark/core/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { useFolder } from '../test/use-folder.ts'
import { nodeSqlite } from './node-sqlite.ts'
import { snapshotsBeside } from './snapshots-beside.ts'

/** Rows of a file that is large enough for threads. */
const LARGE = 500_000

const file = useFolder()

function fill(rows: number, mode = 'WAL'): DatabaseSync {
  const database = new DatabaseSync(file('app.db'))
  onTestFinished(() => database.close())
  database.exec(`PRAGMA journal_mode = ${mode}; PRAGMA synchronous = OFF; CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT); CREATE TABLE log(id INTEGER PRIMARY KEY, a);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows}) INSERT INTO t SELECT i, 'value ' || i FROM n`)
  return database
}

function copies(): readonly string[] {
  return readdirSync(file('.')).filter((name) => name.startsWith('app.db-tidemark'))
}

function make(objects: MemoryObjects, options: Partial<ExporterOptions> = {}): Exporter {
  const exporter = new Exporter({ source: nodeSqlite({ path: file('app.db'), renderThreads: 2 }), storage: memoryStorage({ state: objects, minPartBytes: 500 }), state: memoryStateStore(), instance: 'one', ...options })
  onTestFinished(() => exporter[Symbol.asyncDispose]())
  return exporter
}

function dumpOf(objects: MemoryObjects): string {
  return [...objects.objects].filter(([key]) => key.endsWith('dump.sql')).map(([, { data }]) => new TextDecoder().decode(data)).join('')
}

describe('an export that ends in its first slice', () => {
  it('makes no copy, and shows nothing that is written meanwhile, whichever thread reads', async () => {
    const database = fill(LARGE)
    const objects = new MemoryObjects()
    const exporter = make(objects)
    let parts = 0
    exporter.on('export:part', () => {
      parts += 1
      database.exec(`UPDATE t SET a = 'changed ${parts}' WHERE id % 3 = 0; INSERT INTO t SELECT max(id) + 1, 'new' FROM t; INSERT INTO log DEFAULT VALUES`)
      expect(copies()).toEqual([])
    })
    const { id } = await exporter.start({ fileName: 'dump', partBytes: 1_000_000 })
    expect(await exporter.finish(id)).toMatchObject({ status: 'completed', attempt: 1, totalRowsExported: LARGE, consistency: 'snapshot' })
    expect(parts).toBeGreaterThan(5)
    expect(dumpOf(objects)).not.toMatch(/changed|new/)
  })

  it('leaves nothing open that would keep the log from beginning anew', async () => {
    const database = fill(10)
    const exporter = make(new MemoryObjects())
    await exporter.finish((await exporter.start()).id)
    expect(database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()).toMatchObject({ busy: 0 })
  })
})

describe('an export of several slices', () => {
  const SMALL = { fileName: 'dump', partBytes: 1_200, maxStatementBytes: 1_000, budget: { bytes: 1 } } as const

  it('has its copy when the first has ended, and lets go of the database', async () => {
    const database = fill(500)
    const exporter = make(new MemoryObjects())
    const { id } = await exporter.start(SMALL)
    await exporter.step(id)
    expect(copies()).toHaveLength(1)
    expect(database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()).toMatchObject({ busy: 0 })
    await exporter.finish(id)
    expect(copies()).toEqual([])
  })

  it('begins anew once where it is killed before, and has its copy from the beginning then', async () => {
    fill(60)
    const attempts = new Set<number>()
    for (let diesAt = 1, isDead = true; isDead; diesAt += 1) {
      const [objects, state, process] = [new MemoryObjects(), memoryStateStore(), new MortalProcess(diesAt)]
      const first = make(objects, { state: process.store(state) })
      await first.start(SMALL).then(({ id }) => first.finish(id)).catch(() => undefined)
      await first[Symbol.asyncDispose]()
      isDead = process.isDead
      const second = make(objects, { state })
      const [id] = await state.list('export/')
      if (id === undefined) continue
      const status = await second.finish(id.slice('export/'.length))
      expect(status).toMatchObject({ status: 'completed', totalRowsExported: 60 })
      attempts.add(status.attempt)
    }
    expect([...attempts].toSorted()).toEqual([1, 2])
    expect(copies()).toEqual([])
  })

  it('is copied at once where a reader would stop writers', async () => {
    fill(500, 'DELETE')
    const exporter = make(new MemoryObjects())
    let before = 0
    exporter.on('export:part', () => { before = Math.max(before, copies().length) })
    await exporter.finish((await exporter.start()).id)
    expect(before).toBe(1)
  })
})

/** Commits all the time, with a pause now and then in which all readers can begin. */
const WRITER = `const { parentPort, workerData } = require('node:worker_threads'); const { DatabaseSync } = require('node:sqlite');
  const database = new DatabaseSync(workerData, { timeout: 5000 }); database.exec('PRAGMA synchronous = OFF'); const wait = new Int32Array(new SharedArrayBuffer(4));
  for (let count = 0; ; count += 1) { database.exec('INSERT INTO log DEFAULT VALUES'); if (count === 0) parentPort.postMessage('begun'); Atomics.wait(wait, 0, 0, Math.random() * 2) }`

it('is seen alike by all threads, however commits fall between their beginnings', { timeout: 60_000 }, async () => {
  fill(LARGE)
  const store = snapshotsBeside({ path: file('app.db'), busyTimeoutMs: 1_000, renderThreads: 2 })
  const tables = [{ name: 'log', columns: [{ name: 'id', ordinal: 1, sourceType: 'INTEGER', nullable: true, logicalType: 'integer', storage: 'integer', scale: 0, onUnrepresentable: 'error' }], primaryKey: ['id'], key: [{ expression: '"id"', column: undefined, collation: undefined, isOwn: true }], rowid: undefined, where: undefined, limit: undefined, isVirtual: false }] as const
  const writer = new Worker(WRITER, { eval: true, workerData: file('app.db') })
  onTestFinished(async () => void await writer.terminate())
  await once(writer, 'message')
  let held = 0
  for (let round = 0; round < 16; round += 1) {
    await using snapshot = await store.hold?.({ name: `round${round}`, isRendered: true })
    if (snapshot === undefined) continue
    held += 1
    const [[seen] = []] = await snapshot.driver.query('SELECT count(*) FROM log')
    const renderers = await snapshot.openRenderers({ token: snapshot.token, tables, render: { maxStatementBytes: 100_000, keepRowids: false } })
    expect(renderers).toHaveLength(2)
    for (const renderer of renderers) expect((await renderer.render({ table: 0, bytes: 1e9 })).blocks.reduce((sum, { rows }) => sum + rows, 0)).toBe(seen)
  }
  expect(held).toBeGreaterThan(3)
})
