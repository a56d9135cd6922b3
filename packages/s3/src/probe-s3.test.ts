import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { probeS3 } from './probe-s3.ts'
import { s3Storage } from './s3-storage.ts'
import { BUCKET_CAPABILITIES, startBucket, type StartedBucket } from './test/start-bucket.ts'
import { answers, fails, scriptedServer } from './test/scripted-server.ts'

let bucket: StartedBucket
beforeAll(async () => {
  bucket = await startBucket()
})
afterAll(() => bucket[Symbol.asyncDispose]())

describe('a probe', () => {
  it('finds what the storage can do, and leaves nothing', async () => {
    const { capabilities: _unknown, ...options } = bucket.options
    await expect(probeS3({ ...options, prefix: 'probe' })).resolves.toEqual(BUCKET_CAPABILITIES)
    expect((await s3Storage(bucket.options).list({ prefix: '' })).objects).toEqual([])
  })

  it('finds a server that takes no notice of the condition, and one that lists uploads', async () => {
    await using server = await scriptedServer((response, request) => {
      const { method, path } = request
      const upload = new URL(path, 'http://host').searchParams
      if (method === 'POST') return answers('<Result><UploadId>id</UploadId></Result>')(response, request)
      if (upload.has('uploads')) return answers(`<Result><IsTruncated>false</IsTruncated><Upload><Key>${upload.get('prefix')}</Key><UploadId>id</UploadId><Initiated>2026-01-01T00:00:00Z</Initiated></Upload></Result>`)(response, request)
      return answers('')(response, request)
    })
    await expect(probeS3(server.options)).resolves.toEqual({ conditionalPut: false, listsUploads: true })
    expect(server.seen.filter(({ method }) => method === 'DELETE').map(({ path }) => new URL(path, 'http://host').search)).toEqual(['?uploadId=id', ''])
  })

  it('fails where the key may not write, or nobody answers', async () => {
    await expect(probeS3({ ...bucket.options, secretAccessKey: 'another' })).rejects.toMatchObject({ code: 'STORAGE_AUTH_FAILED' })
    await expect(probeS3({ ...bucket.options, bucket: 'no-such-bucket' })).rejects.toMatchObject({ code: 'BUCKET_UNKNOWN' })
    await using server = await scriptedServer(fails(503, 'SlowDown'))
    await expect(probeS3(server.options)).rejects.toMatchObject({ code: 'STORAGE_BUSY' })
  })
})
