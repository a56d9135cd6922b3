import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Exporter, type ExportRequest } from '@tidemark/core'
import type { ObjectStorage } from '@tidemark/core/adapter'
import { MemoryObjects, memoryStateStore, memoryStorage } from '@tidemark/core/testing'
import { expect, it, onTestFinished } from 'vitest'
import { nodeSqlite } from './node-sqlite.ts'

/** Counts what goes over the wire. */
function counting(storage: ObjectStorage): { readonly storage: ObjectStorage; readonly counts: { written: number; read: number; largest: number } } {
  const counts = { written: 0, read: 0, largest: 0 }
  const count = (bytes: Uint8Array): void => {
    counts.written += bytes.length
    counts.largest = Math.max(counts.largest, bytes.length)
  }
  return {
    counts,
    storage: {
      name: storage.name, address: storage.address, capabilities: storage.capabilities,
      put: (key, bytes, options) => {
        count(bytes)
        return storage.put(key, bytes, options)
      },
      putPart: (request) => {
        count(request.bytes)
        return storage.putPart(request)
      },
      get: (key, options) => {
        counts.read += 1
        return storage.get(key, options)
      },
      head: (key, options) => storage.head(key, options), list: (request) => storage.list(request), delete: (key, options) => storage.delete(key, options),
      createUpload: (key, options) => storage.createUpload(key, options), completeUpload: (request) => storage.completeUpload(request), abortUpload: (upload, options) => storage.abortUpload(upload, options),
    },
  }
}

it.each<ExportRequest>([{ consistency: 'snapshot' }, { consistency: 'corrected' }, { format: 'ndjson' }])('writes what it gives and reads nothing back, in a hundred slices of another process each (%o)', { timeout: 180_000 }, async (request) => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-io-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'app.db')
  using database = new DatabaseSync(path)
  database.exec(`CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b BLOB); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) INSERT INTO t SELECT i, 'a text of row ' || i, zeroblob(i % 120) FROM n`)
  const objects = new MemoryObjects()
  const { storage, counts } = counting(memoryStorage({ state: objects, minPartBytes: 1_000 }))
  const state = memoryStateStore()
  const open = (): Exporter => new Exporter({ source: nodeSqlite(database), storage, state, instance: 'one' })
  const { id } = await open().start({ fileName: 'dump', partBytes: 100_000, maxStatementBytes: 20_000, budget: { bytes: 1 }, ...request })
  let steps = 0
  for (let isDone = false; !isDone; steps += 1) {
    await using exporter = open()
    isDone = (await exporter.step(id)).done
  }
  const dumpBytes = [...objects.objects.values()].reduce((sum, { data }) => sum + data.length, 0)
  expect(steps).toBeGreaterThan(80)
  // Nothing but the parts, once each; padding is part of the dump.
  expect(counts.written / dumpBytes).toBeLessThanOrEqual(1.05)
  expect(counts).toMatchObject({ read: 0, largest: expect.any(Number) })
  expect(counts.largest).toBeLessThanOrEqual(100_000)
})
