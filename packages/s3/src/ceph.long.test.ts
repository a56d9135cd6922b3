import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describeStorage } from '@tidemark/conformance'
import { vitestRunner } from '@tidemark/conformance/vitest'
import { Exporter, Importer, verifyDump } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { nodeSqlite } from '@tidemark/node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { probeS3 } from './probe-s3.ts'
import { s3Storage } from './s3-storage.ts'
import { bucketKills, KILLED_REQUESTS, type KilledBucketExports } from './test/bucket-kills.ts'
import { bucketOfCeph, CEPH_CAPABILITIES } from './test/bucket-of-ceph.ts'
import { bucketSubject } from './test/bucket-subject.ts'
import { cuttingProxy } from './test/cutting-proxy.ts'
import type { StartedBucket } from './test/start-bucket.ts'

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)

let bucket: StartedBucket
let exports: KilledBucketExports
beforeAll(async () => {
  bucket = await bucketOfCeph()
  exports = bucketKills(() => bucket.options)
}, 900_000)
afterAll(async () => {
  exports[Symbol.dispose]()
  await bucket[Symbol.asyncDispose]()
})

describeStorage(vitestRunner, bucketSubject('Ceph', { capabilities: CEPH_CAPABILITIES }, () => bucket.options))

describe('a bucket of Ceph', () => {
  it('is found to do what it can do', async () => {
    const { conditionalPut, listsUploads } = CEPH_CAPABILITIES
    await expect(probeS3({ ...bucket.options, prefix: 'probe' })).resolves.toEqual({ conditionalPut, listsUploads })
    expect(await s3Storage({ ...bucket.options, prefix: 'probe' }).listUploads?.('')).toEqual([])
  })

  it.each([['a single dump', KILLED_REQUESTS.single], ['a directory', KILLED_REQUESTS.directory]] as const)('has %s that is the same, byte for byte, wherever its process is killed, and no upload is left', { timeout: 1_800_000 }, async (_what, request) => {
    const { objects, moments } = await exports.exported(request)
    for (let kill = 1; kill <= moments; kill += 1) expect({ kill, objects: (await exports.exported(request, kill)).objects }).toEqual({ kill, objects })
  })

  it('has dumps that are whole although the network cuts every second request off', { timeout: 300_000 }, async () => {
    process.stdout.write(`network faults: SEED=${seed}\n`)
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-ceph-'))
    const path = join(folder, 'app.db')
    using database = new DatabaseSync(path)
    database.exec('CREATE TABLE t(id INTEGER PRIMARY KEY, b BLOB); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) INSERT INTO t SELECT i, randomblob(20000) FROM n')
    await using proxy = await cuttingProxy(String(bucket.options.endpoint), seed)
    for (const request of [{ partBytes: 5 * 1_048_576 }, { layout: 'directory', partBytes: 1_048_576 }] as const) {
      const storage = s3Storage({ ...bucket.options, endpoint: proxy.endpoint, prefix: request.partBytes.toString(), retry: { attempts: 10, baseMs: 5 } })
      await using exporter = new Exporter({ source: nodeSqlite({ path }), storage, state: memoryStateStore() })
      const { id } = await exporter.start({ fileName: 'dump', ...request })
      await exporter.finish(id)
      await expect(verifyDump({ storage, id, mode: 'deep', against: nodeSqlite({ path }) })).resolves.toMatchObject({ ok: true })
      const copy = join(folder, `${request.partBytes}.db`)
      await new Importer({ source: storage, target: nodeSqlite({ path: copy }) }).load(id)
      await expect(verifyDump({ storage, id, mode: 'rows', against: nodeSqlite({ path: copy }) })).resolves.toMatchObject({ ok: true })
    }
    expect(proxy.cuts.before + proxy.cuts.after + proxy.cuts.within).toBeGreaterThan(10)
    rmSync(folder, { recursive: true, force: true })
  })
})
