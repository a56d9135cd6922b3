import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Worker } from 'node:worker_threads'
import { Exporter, type ExportRequest } from '@tidemark/core'
import type { ExportSource } from '@tidemark/core/adapter'
import { memoryStateStore } from '@tidemark/core/testing'
import { parquetFormat } from '@tidemark/parquet'
import { sqliteExportSource } from '@tidemark/sqlite'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { NodeSqliteDriver } from '../node-sqlite-driver.ts'
import { fsStorage } from '../storage/fs-storage.ts'
import { useFolder } from '../test/use-folder.ts'
import { nodeSqlite } from './node-sqlite.ts'
import { snapshotsBeside } from './snapshots-beside.ts'

// A thread is started for each of many views: on a machine with other work to do that takes long.
vi.setConfig({ testTimeout: 60_000 })

const file = useFolder()
const threads: Worker[] = []
const note = (worker: Worker): void => void threads.push(worker)
process.on('worker', note)
afterEach(() => { threads.length = 0 })

/** Large enough for several ranges, with rows of every awkward kind strewn in, at group ends too. */
const LARGE = `
  CREATE TABLE plain(id INTEGER PRIMARY KEY, name TEXT, price REAL, note, hash BLOB);
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000) INSERT INTO plain SELECT i * 3, 'it''s row ' || i, i * 1.1,
    CASE i % 7 WHEN 0 THEN NULL WHEN 1 THEN i WHEN 2 THEN 'é漢字😀' || i WHEN 3 THEN i / 3.0 WHEN 4 THEN 9223372036854775807 - i ELSE x'00ff' END, CAST(printf('%.*c', 60, 'h') AS BLOB) FROM n;
  UPDATE plain SET note = 'a' || char(0) || 'b''' WHERE id % 5001 = 0; UPDATE plain SET name = 'x' || char(0) WHERE id = 1024 * 3 OR id = 1025 * 3;
  UPDATE plain SET note = CAST(x'41ff42' AS TEXT) WHERE id IN (3 * 4096, 3 * 20000); UPDATE plain SET note = 9e999, price = -9e999 WHERE id = 3 * 9000;
  UPDATE plain SET note = printf('%.*c', 20000, 'w') WHERE id IN (3 * 12000, 3 * 12001); UPDATE plain SET hash = zeroblob(150000) WHERE id IN (3 * 2048, 3 * 25000);
  CREATE TABLE without_key(a, b); INSERT INTO without_key SELECT name, note FROM plain; DELETE FROM without_key WHERE rowid % 11 = 0;
  CREATE TABLE text_key(k TEXT PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO text_key SELECT name || id, hash FROM plain;
  CREATE TABLE wide(id INTEGER PRIMARY KEY, a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO wide SELECT i, zeroblob(3000) FROM n;
  CREATE TABLE exact(id INTEGER PRIMARY KEY, a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 16384) INSERT INTO exact SELECT -i, i FROM n;`

/** As large, and soon read. */
const FEW_LARGE = 'CREATE TABLE few(id INTEGER PRIMARY KEY, a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 90) INSERT INTO few SELECT i, zeroblob(100000) FROM n'

interface Dumping extends ExportRequest {
  readonly renderThreads: number
  /** Begin with another exporter, as after a kill, each time so many slices are done. */
  readonly slicesEach?: number
  readonly source?: ExportSource
}

async function digestOf({ renderThreads, slicesEach = Number.MAX_SAFE_INTEGER, source, ...request }: Dumping): Promise<string> {
  const path = file('app.db')
  const folder = file(`dumps-${threads.length}-${renderThreads}`)
  const state = memoryStateStore()
  const make = (): Exporter => new Exporter({ source: source ?? nodeSqlite({ path, renderThreads }), storage: fsStorage(folder), state })
  await using first = make()
  const { id } = await first.start({ fileName: 'dump', ...request })
  for (let isDone = false; !isDone;) {
    await using exporter = make()
    for (let slice = 0; slice < slicesEach && !isDone; slice += 1) isDone = (await exporter.step(id)).done
  }
  expect((await first.verify(id, { mode: 'rows', against: nodeSqlite({ path, renderThreads: 0 }) })).findings).toEqual([])
  return createHash('sha256').update(readFileSync(`${folder}/${id}/dump.sql`)).digest('hex')
}

function fill(pragma = '', content = LARGE): void {
  const database = new DatabaseSync(file('app.db'))
  database.exec(`${pragma}; ${content}`)
  database.close()
}

describe('a large table of which nothing is rendered as SQL', () => {
  const requests: readonly ExportRequest[] = [{ format: 'csv' }, { format: 'ndjson' }, { format: 'parquet' }, { content: 'schema' }]
  it.each(['wal', 'delete'].flatMap((mode) => requests.map((request) => [request, mode] as const)))('starts no thread, nor does its verification (%o, %s)', async (request, mode) => {
    fill(`PRAGMA journal_mode = ${mode}`, FEW_LARGE)
    const source = nodeSqlite({ path: file('app.db'), renderThreads: 3 })
    await using exporter = new Exporter({ source, storage: fsStorage(file('dumps')), state: memoryStateStore(), formats: [parquetFormat()] })
    const { id } = await exporter.start({ layout: 'directory', ...request })
    expect(await exporter.finish(id)).toMatchObject({ status: 'completed', consistency: 'snapshot' })
    if (request.format !== 'parquet') expect((await exporter.verify(id, { mode: 'rows', against: source })).findings).toEqual([])
    expect(threads).toHaveLength(0)
  })
})

describe('a large table that threads render', () => {
  it.each([{}, { maxStatementBytes: 3_000 }, { keepRowids: true }])('is what one thread makes of it, byte for byte (%o)', async (request) => {
    fill()
    const alone = await digestOf({ renderThreads: 0, ...request })
    expect(threads).toHaveLength(0)
    expect(await digestOf({ renderThreads: 3, ...request })).toBe(alone)
    expect(threads.length).toBeGreaterThanOrEqual(3)
  })

  it('is so in UTF-16 too', async () => {
    fill(`PRAGMA encoding = 'UTF-16le'`)
    expect(await digestOf({ renderThreads: 2 })).toBe(await digestOf({ renderThreads: 0 }))
  })

  it('is so wherever it is taken up again', async () => {
    fill()
    const whole = await digestOf({ renderThreads: 2, partBytes: 3_000_000 })
    expect(await digestOf({ renderThreads: 2, partBytes: 3_000_000, budget: { bytes: 1 }, slicesEach: 1 })).toBe(whole)
    expect(await digestOf({ renderThreads: 0, partBytes: 3_000_000, budget: { bytes: 1 }, slicesEach: 2 })).toBe(whole)
  })

  it('is finished by this thread when the others end', async () => {
    fill()
    const whole = await digestOf({ renderThreads: 0 })
    const end = (worker: Worker): void => { worker.once('message', () => void worker.terminate()) }
    process.on('worker', end)
    expect(await digestOf({ renderThreads: 2 })).toBe(whole)
    process.off('worker', end)
  })

  it.each([
    ['at once', (): never => { throw new Error('No thread may be made.') }],
    ['later', () => Promise.reject(new Error('No thread may be made.'))],
  ])('is rendered by this thread when no other can be had, which proves so %s and is tried once', async (_when, openRenderers) => {
    fill()
    const path = file('app.db')
    const { create, open, drop } = snapshotsBeside({ path, busyTimeoutMs: 1_000, renderThreads: 0 })
    let tries = 0
    const snapshots = { create, open, drop, openRenderers: () => {
      tries += 1
      return openRenderers()
    } }
    const source = sqliteExportSource({ address: 'sqlite:app.db', snapshots, open: () => Promise.resolve(new NodeSqliteDriver({ path, busyTimeoutMs: 1_000, isReadOnly: true, isForeign: true })) })
    expect(await digestOf({ renderThreads: 2, source })).toBe(await digestOf({ renderThreads: 0 }))
    expect(tries).toBe(1)
  })

  it('leaves no thread behind that was not needed', async () => {
    fill()
    const store = snapshotsBeside({ path: file('app.db'), busyTimeoutMs: 1_000, renderThreads: 2 })
    await store.create({ name: 'one', isRendered: true })
    const ended = Promise.all(threads.map((worker) => new Promise((resolve) => worker.once('exit', resolve))))
    await store.drop('one')
    expect(await ended).toHaveLength(2)
  })
})
