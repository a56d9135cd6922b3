import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Exporter, Importer, verifyDump, type ExportRequest } from '@tidemark/core'
import type { ObjectStorage } from '@tidemark/core/adapter'
import { memoryStateStore } from '@tidemark/core/testing'
import { nodeSqlite } from '@tidemark/node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { s3FromUrl } from './s3-from-url.ts'
import { s3Storage } from './s3-storage.ts'
import { cuttingProxy } from './test/cutting-proxy.ts'
import { startBucket, type StartedBucket } from './test/start-bucket.ts'

const PART_BYTES = 5 * 1_048_576
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)

let bucket: StartedBucket
let folder: string
let path: string
let prefixes = 0

beforeAll(async () => {
  bucket = await startBucket()
  folder = mkdtempSync(join(tmpdir(), 'tidemark-s3-'))
  path = join(folder, 'app.db')
  using database = new DatabaseSync(path)
  database.exec(`CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b BLOB); CREATE INDEX i ON t(a);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) INSERT INTO t SELECT i, printf('%.*c', 20 + i * 7 % 200, char(65 + i % 26)), randomblob(60) FROM n`)
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await bucket[Symbol.asyncDispose]()
})

function fresh(endpoint = bucket.options.endpoint): ObjectStorage {
  prefixes += 1
  return s3Storage({ ...bucket.options, endpoint, prefix: `export-${prefixes}`, retry: { attempts: 8, baseMs: 5 } })
}

async function dump(storage: ObjectStorage, request: ExportRequest): Promise<string> {
  await using exporter = new Exporter({ source: nodeSqlite({ path }), storage, state: memoryStateStore() })
  const { id } = await exporter.start({ fileName: 'dump', ...request })
  await exporter.finish(id)
  return id
}

describe('a dump in a bucket', () => {
  it.each<ExportRequest>([{ partBytes: PART_BYTES }, { layout: 'directory', compression: 'gzip' }, { format: 'ndjson', partBytes: PART_BYTES }])('is written, verified and loaded from there (%o)', async (request) => {
    const storage = fresh()
    const id = await dump(storage, request)
    await expect(verifyDump({ storage, id, mode: 'deep', against: nodeSqlite({ path }) })).resolves.toMatchObject({ ok: true })
    const copy = join(folder, `copy-${prefixes}.db`)
    await new Importer({ source: storage, target: nodeSqlite({ path: copy }) }).load(id)
    await expect(verifyDump({ storage, id, mode: 'rows', against: nodeSqlite({ path: copy }) })).resolves.toMatchObject({ ok: true })
  })

  it('can be fetched with a signed URL, all of it or a part', async () => {
    const storage = fresh()
    await using exporter = new Exporter({ source: nodeSqlite({ path }), storage, state: memoryStateStore() })
    const { id } = await exporter.start({ fileName: 'dump' })
    const { totalBytesExported } = await exporter.finish(id)
    const response = await fetch(await exporter.signedUrl(id))
    expect((await response.arrayBuffer()).byteLength).toBe(totalBytesExported)
  })

  it('has the same bytes when the process ends at any moment between two parts', async () => {
    const whole = fresh()
    const id = await dump(whole, { partBytes: PART_BYTES })
    const digest = await digestOf(whole, id)
    const storage = fresh()
    const state = memoryStateStore()
    let job: string | undefined
    for (let isDone = false; !isDone;) {
      // Nothing of one life is known to the next but what is stored.
      await using exporter = new Exporter({ source: nodeSqlite({ path }), storage, state, instance: 'one' })
      job ??= (await exporter.start({ fileName: 'dump', partBytes: PART_BYTES, budget: { bytes: 1 } })).id
      isDone = (await exporter.step(job)).done
    }
    expect(await digestOf(storage, job ?? '')).toBe(digest)
  })

  it('is whole although the network cuts every second request off: before it is carried out, after it, or in the middle of the answer', { timeout: 60_000 }, async () => {
    process.stdout.write(`network faults: SEED=${seed}\n`)
    await using proxy = await cuttingProxy(String(bucket.options.endpoint), seed)
    const storage = fresh(proxy.endpoint)
    const id = await dump(storage, { layout: 'directory', partBytes: 1_048_576 })
    await expect(verifyDump({ storage: fresh(), id: `../${id}` }).catch((error: unknown) => error)).resolves.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(verifyDump({ storage, id, mode: 'deep', against: nodeSqlite({ path }) })).resolves.toMatchObject({ ok: true })
    const { before, after, within } = proxy.cuts
    expect(before + after + within).toBeGreaterThan(10)
  })
})

describe('an address of a bucket', () => {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'hidden-value' }

  it('is a URL and what is in the environment', () => {
    const storage = s3FromUrl('s3://bucket/a/b/', { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY })
    expect(storage.address).toBe('s3://bucket/a/b')
    expect(s3FromUrl('s3://bucket', { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL_S3: '', AWS_REGION: '', AWS_SESSION_TOKEN: '' }).address).toBe('s3://bucket')
    expect(() => s3FromUrl('s3://bucket', { AWS_ACCESS_KEY_ID })).toThrow(expect.objectContaining({ code: 'SECRET_MISSING' }))
    for (const url of ['bucket', 's3://', 'https://bucket', 's3://b/../c']) expect(() => s3FromUrl(url, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
    for (const endpoint of ['ftp://x', 'https://user:pass@host', 'host']) expect(() => s3Storage({ bucket: 'b', endpoint, accessKeyId: 'k', secretAccessKey: 's' })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })

  it('that nobody answers at is told, without the secret', async () => {
    const storage = s3FromUrl('s3://bucket', { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9' }, { retry: { attempts: 2, baseMs: 1 } })
    const error: unknown = await storage.head('a').catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'STORAGE_UNREACHABLE', retryable: true })
    expect(JSON.stringify(error) + String(error)).not.toContain('hidden-value')
  })
})

async function digestOf(storage: ObjectStorage, id: string): Promise<string> {
  let text = ''
  for await (const piece of await storage.get(`${id}/dump.sql`)) text += Buffer.from(piece).toString('latin1')
  return Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(text, 'latin1'))).toString('hex')
}
