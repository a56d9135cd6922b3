import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Exporter, verifyDump, type ExportRequest } from '@tidemark/core'
import type { ObjectStorage } from '@tidemark/core/adapter'
import { memoryStateStore, memoryStorage, MemoryObjects, MortalProcess } from '@tidemark/core/testing'
import { parquetFormat } from '@tidemark/parquet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decryptObject } from '../test/decrypt-object.ts'
import { nodeSqlite } from './node-sqlite.ts'

let folder: string
let path: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-kills-'))
  path = join(folder, 'app.db')
  const database = new DatabaseSync(path)
  database.exec(`PRAGMA journal_mode = WAL; CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT); CREATE TABLE u(a TEXT PRIMARY KEY, b) WITHOUT ROWID; CREATE INDEX i ON t(a);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) INSERT INTO t SELECT i, printf('%.*c', 20 + i * 7 % 90, char(65 + i % 26)) FROM n;
    INSERT INTO u SELECT a || id, id FROM t WHERE id % 5 = 0; INSERT INTO t VALUES (61, printf('%.*c', 3000, 'x'))`)
  database.close()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Small parts, so that there are many; one a slice, so that a kill is never far from a save. */
const REQUEST: ExportRequest = { encrypt: false, fileName: 'dump', maxStatementBytes: 1_000, partBytes: 1_200, budget: { bytes: 1 } }

const KEY = Buffer.alloc(32, 3)
const encryption = { key: KEY.toString('base64') }

interface Outcome {
  readonly dumps: Readonly<Record<string, string>>
  readonly moments: number
  readonly leftUploads: number
}

/** Exports in one process after the other, each killed at a moment of its own life, and the last one not. */
async function exportThrough(kills: readonly number[], request: ExportRequest): Promise<Outcome> {
  const state = memoryStateStore()
  const objects = new MemoryObjects()
  let id: string | undefined
  let moments = 0
  for (const kill of [...kills, undefined]) {
    const process = new MortalProcess(kill)
    // The same worker goes on at once; another would wait for the lease to run out.
    const exporter = new Exporter({ source: nodeSqlite({ path }), storage: process.storage(storageOf(objects)), state: process.store(state), instance: 'one', encryption, formats: [parquetFormat()] })
    try {
      id ??= (await exporter.start(request)).id
      await exporter.finish(id)
    } catch (error) {
      if (!process.isDead) throw error
      // Killed before its answer, it may be known to the store alone.
      id ??= (await state.list('export/'))[0]?.slice('export/'.length)
      expect(completedTooEarly(objects), 'a manifest, or nothing that looks whole').toEqual([])
    } finally {
      await exporter[Symbol.asyncDispose]().catch(() => undefined)
    }
    moments = process.moments
  }
  const sweeper = new Exporter({ source: nodeSqlite({ path }), storage: storageOf(objects), state })
  await sweeper.sweep({ uploadAgeMs: -1 })
  const dumps = [...objects.objects].map(([key, { data }]) => [key.slice(key.indexOf('/') + 1), contentOf(key, data)])
  const report = await verifyDump({ storage: storageOf(objects), id: id ?? '', encryption })
  expect(report.findings).toEqual([])
  return { dumps: Object.fromEntries(dumps) as Readonly<Record<string, string>>, moments, leftUploads: objects.uploads.size }
}

function storageOf(state: MemoryObjects): ObjectStorage {
  return memoryStorage({ state, minPartBytes: 500 })
}

/** Of a manifest what may not differ between two exports of the same rows. */
function contentOf(key: string, data: Uint8Array): string {
  const [id = '', ...path] = key.split('/')
  if (key.endsWith('.enc')) return JSON.stringify(decryptObject({ key: KEY, id, path: path.join('/'), object: data }))
  if (key.endsWith('.parquet')) return Buffer.from(data).toString('hex')
  const text = new TextDecoder().decode(data)
  if (!key.endsWith('manifest.json')) return text
  const { sha256, objects, tables, encryption: keys } = JSON.parse(text) as { readonly sha256: string; readonly objects: readonly object[]; readonly tables: unknown; readonly encryption?: object }
  // The digests of an encrypted dump are of its own key, which no other has.
  return JSON.stringify(keys === undefined ? { sha256, objects, tables } : { objects: objects.map((object) => ({ ...object, chunks: [] })), tables })
}

/** A single dump has its name only once its last statement is in it. */
function completedTooEarly({ objects }: MemoryObjects): readonly string[] {
  return [...objects].filter(([key, { data }]) => key.endsWith('/dump.sql') && !new TextDecoder().decode(data).endsWith('COMMIT;\n')).map(([key]) => key)
}

describe.each([
  ['a single dump from a snapshot', REQUEST],
  ['a single dump from the live file', { ...REQUEST, consistency: 'fuzzy' }],
  ['a directory', { ...REQUEST, layout: 'directory' }],
  ['a file of CSV a table, its parts cut anywhere', { ...REQUEST, format: 'csv' }],
  ['a directory of Parquet', { ...REQUEST, format: 'parquet', layout: 'directory' }],
  ['an encrypted directory of NDJSON', { ...REQUEST, format: 'ndjson', layout: 'directory', encrypt: true }],
] as const)('%s', (_what, request) => {
  it('is the same, byte for byte, wherever its process is killed', { timeout: 120_000 }, async () => {
    const expected = await exportThrough([], request)
    expect(expected.leftUploads).toBe(0)
    expect(expected.moments).toBeGreaterThan(20)
    for (let kill = 1; kill <= expected.moments; kill += 1) {
      const { dumps, leftUploads } = await exportThrough([kill], request)
      expect({ kill, dumps, leftUploads }).toEqual({ kill, dumps: expected.dumps, leftUploads: 0 })
    }
    expect(readdirSync(folder).filter((name) => name.includes('tidemark'))).toEqual([])
  })

  it('is the same when the process that goes on is killed as well', { timeout: 120_000 }, async () => {
    const expected = await exportThrough([], request)
    for (let first = 1; first <= expected.moments; first += 3) {
      // 7 and the step of 3 have no common measure: over all first kills, every second one comes up.
      for (let second = 1 + (first % 7); second <= 24; second += 7) {
        const { dumps, leftUploads } = await exportThrough([first, second], request)
        expect({ first, second, dumps, leftUploads }).toEqual({ first, second, dumps: expected.dumps, leftUploads: 0 })
      }
    }
  })
})
