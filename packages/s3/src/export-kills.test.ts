import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bucketKills, KILLED_REQUESTS, type KilledBucketExports } from './test/bucket-kills.ts'
import { startBucket, type StartedBucket } from './test/start-bucket.ts'

let bucket: StartedBucket
let exports: KilledBucketExports
beforeAll(async () => {
  bucket = await startBucket()
  exports = bucketKills(() => bucket.options)
})
afterAll(async () => {
  exports[Symbol.dispose]()
  await bucket[Symbol.asyncDispose]()
})

// The long lane tries every moment, once and twice.
describe.each([['a single dump', KILLED_REQUESTS.single], ['a directory', KILLED_REQUESTS.directory]] as const)('%s in a bucket', (_what, request) => {
  it('is the same, byte for byte, though its process is killed', { timeout: 120_000 }, async () => {
    const { objects, moments } = await exports.exported(request)
    expect(moments).toBeGreaterThan(20)
    for (let kill = 3; kill <= moments; kill += 6) expect({ kill, objects: (await exports.exported(request, kill)).objects }).toEqual({ kill, objects })
  })
})
