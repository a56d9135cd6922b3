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

describe.each([['a single dump', KILLED_REQUESTS.single], ['a directory', KILLED_REQUESTS.directory]] as const)('%s in a bucket', (_what, request) => {
  it('is the same, byte for byte, wherever its process is killed, once and twice', { timeout: 1_800_000 }, async () => {
    const { objects, moments } = await exports.exported(request)
    let runs = 0
    for (let first = 1; first <= moments; first += 1) {
      for (const kills of [[first], [first, 1 + (first * 7) % 24], [first, 1 + (first * 11) % 24]]) {
        expect({ kills, objects: (await exports.exported(request, ...kills)).objects }).toEqual({ kills, objects })
        runs += 1
      }
    }
    process.stdout.write(`exports killed in a bucket: ${runs} over ${moments} moments\n`)
  })
})
