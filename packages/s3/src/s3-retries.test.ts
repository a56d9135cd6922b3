import { TidemarkError, type ObjectStorage } from '@tidemark/core/adapter'
import { describe, expect, it } from 'vitest'
import { s3Storage } from './s3-storage.ts'
import { answers, cutsOff, fails, hangsUp, isSilent, scriptedServer, type Reply } from './test/scripted-server.ts'

const OK = answers('')
const TEXT = '0123456789'

const staysOpen: Reply = (response) => void response.writeHead(200, { 'content-length': TEXT.length, etag: '"1"' }).write(TEXT.slice(0, 4))

async function read(storage: ObjectStorage, range?: { readonly start: number; readonly end?: number }): Promise<string> {
  let text = ''
  for await (const piece of await storage.get('a', { range })) text += Buffer.from(piece).toString()
  return text
}

describe('a request that fails in passing is made again', () => {
  it.each([
    ['nothing comes back', hangsUp], ['503', fails(503, 'SlowDown')], ['429', fails(429, '')], ['500', fails(500, 'InternalError')], ['a gateway gives up', fails(502, '')],
    ['it was damaged', fails(400, 'XAmzContentSHA256Mismatch')], ['it took too long', fails(400, 'RequestTimeout')],
  ])('when %s', async (_what, reply) => {
    await using server = await scriptedServer(reply, reply, OK)
    await s3Storage(server.options).delete('a')
    expect(server.seen.length).toBe(3)
  })

  it('so many times, and then what came last is told', async () => {
    await using server = await scriptedServer(fails(503, 'SlowDown'))
    await expect(s3Storage(server.options).head('a')).rejects.toMatchObject({ code: 'STORAGE_BUSY', retryable: true })
    expect(server.seen.length).toBe(3)
  })

  it.each([
    [403, 'AccessDenied', 'STORAGE_AUTH_FAILED'], [403, 'SignatureDoesNotMatch', 'STORAGE_AUTH_FAILED'], [400, 'AuthorizationHeaderMalformed', 'STORAGE_AUTH_FAILED'], [401, '', 'STORAGE_AUTH_FAILED'],
    [404, 'NoSuchBucket', 'BUCKET_UNKNOWN'], [301, 'PermanentRedirect', 'BUCKET_UNKNOWN'], [307, '', 'BUCKET_UNKNOWN'], [404, 'NoSuchKey', 'OBJECT_UNKNOWN'], [403, 'QuotaExceeded', 'STORAGE_FULL'], [507, 'XMinioStorageFull', 'STORAGE_FULL'],
    [501, 'NotImplemented', 'NOT_SUPPORTED'], [400, 'Whatever', 'STORAGE_FAILED'], [418, '', 'STORAGE_FAILED'],
  ])('but not after %i %s, which is %s', async (status, s3Code, code) => {
    await using server = await scriptedServer(fails(status, s3Code))
    await expect(s3Storage(server.options).get('a')).rejects.toMatchObject({ code, detail: s3Code === '' ? `HTTP ${status}` : s3Code })
    expect(server.seen.length).toBe(1)
  })

  it('once the time has passed that the storage asks for, in seconds or as a date, up to a limit', async () => {
    for (const wait of ['3600', new Date(Date.now() + 3_600_000).toUTCString()]) {
      await using server = await scriptedServer(fails(503, 'SlowDown', { 'retry-after': wait }), OK)
      await s3Storage({ ...server.options, retry: { attempts: 2, baseMs: 1, maxMs: 60 } }).delete('a')
      const [first, second] = server.seen
      // It would be a millisecond without.
      expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThan(50)
    }
  })

  it('also when success turns out to be an error (CompleteMultipartUpload)', async () => {
    const late = answers('<?xml version="1.0"?><Error><Code>InternalError</Code></Error>')
    await using server = await scriptedServer(late, answers('<CompleteMultipartUploadResult/>'), answers(''))
    await s3Storage(server.options).completeUpload({ key: 'a', uploadId: 'u', parts: [{ number: 1, etag: '"p"' }] })
    expect(server.seen.map(({ method }) => method)).toEqual(['POST', 'POST', 'HEAD'])
    await using other = await scriptedServer(answers('<Error><Code>NoSuchUpload</Code></Error>'))
    await expect(s3Storage(other.options).completeUpload({ key: 'a', uploadId: 'u', parts: [{ number: 1, etag: '"p"' }] })).rejects.toMatchObject({ code: 'UPLOAD_UNKNOWN' })
  })
})

describe('an upload that the storage can\'t complete', () => {
  const parts = [{ number: 1, etag: '"p"' }]

  it.each(['NoSuchUpload', 'NoSuchKey'])('is unknown where it is not there (Ceph says that another completes it, and %s when it is asked)', async (code) => {
    await using server = await scriptedServer((response, request) => (request.method === 'GET' ? fails(404, code) : fails(500, 'InternalError'))(response, request))
    await expect(s3Storage(server.options).completeUpload({ key: 'a', uploadId: 'u', parts })).rejects.toMatchObject({ code: 'UPLOAD_UNKNOWN' })
    expect(server.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([...Array<string>(3).fill('POST /bucket/a?uploadId=u'), 'GET /bucket/a?uploadId=u&max-parts=1'])
  })

  it('is what it says where it is there, or can\'t be asked for', async () => {
    for (const asked of [answers('<ListPartsResult/>'), fails(501, 'NotImplemented')]) {
      await using server = await scriptedServer((response, request) => (request.method === 'GET' ? asked : fails(500, 'InternalError'))(response, request))
      await expect(s3Storage(server.options).completeUpload({ key: 'a', uploadId: 'u', parts })).rejects.toMatchObject({ code: 'STORAGE_BUSY', detail: 'InternalError' })
    }
  })
})

describe('an answer that is cut off', () => {
  it('is gone on with where it ended', async () => {
    await using server = await scriptedServer(cutsOff(TEXT, 4), cutsOff('456789', 3, { 'content-range': 'bytes 4-9/10' }, 206), answers('789', { 'content-range': 'bytes 7-9/10' }, 206))
    expect(await read(s3Storage(server.options))).toBe(TEXT)
    expect(server.seen.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=4-9', 'bytes=7-9'])
  })

  it('is gone on with within its range', async () => {
    await using server = await scriptedServer(cutsOff('3456', 1, { 'content-range': 'bytes 3-6/10' }, 206), answers('456', { 'content-range': 'bytes 4-6/10' }, 206))
    expect(await read(s3Storage(server.options), { start: 3, end: 7 })).toBe('3456')
    expect(server.seen.map(({ headers }) => headers.range)).toEqual(['bytes=3-6', 'bytes=4-6'])
  })

  it('is an error when the object was replaced in the meantime, or the storage gives something else', async () => {
    for (const second of [answers('456789', { 'content-range': 'bytes 4-9/10', etag: '"2"' }, 206), answers('456789', { 'content-range': 'bytes 5-9/10' }, 206), answers(TEXT)]) {
      await using server = await scriptedServer(cutsOff(TEXT, 4), second)
      await expect(read(s3Storage(server.options))).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
    }
  })

  it('is an error when nothing more ever comes', async () => {
    await using server = await scriptedServer(cutsOff(TEXT, 4), cutsOff('456789', 0, { 'content-range': 'bytes 4-9/10' }, 206))
    await expect(read(s3Storage(server.options))).rejects.toMatchObject({ code: 'STORAGE_UNREACHABLE' })
  })

  it('is seen too when the storage falls silent in the middle', async () => {
    await using server = await scriptedServer(staysOpen, answers('456789', { 'content-range': 'bytes 4-9/10' }, 206))
    expect(await read(s3Storage({ ...server.options, requestTimeoutMs: 50 }))).toBe(TEXT)
  })

  it('is not a reader that takes its time', async () => {
    await using server = await scriptedServer(answers(TEXT))
    const storage = s3Storage({ ...server.options, requestTimeoutMs: 40 })
    await using body = await storage.get('a')
    const silent = scriptedServer(isSilent)
    await using other = await silent
    // As long as another takes to run out of its time, twice.
    await expect(s3Storage({ ...other.options, requestTimeoutMs: 40, retry: { attempts: 2, baseMs: 1 } }).head('a')).rejects.toMatchObject({ code: 'STORAGE_UNREACHABLE' })
    let text = ''
    for await (const piece of body) text += Buffer.from(piece).toString()
    expect([text, server.seen.length]).toEqual([TEXT, 1])
  })
})

describe('who gives up', () => {
  it.each([
    ['before an answer', isSilent, (storage: ObjectStorage, signal: AbortSignal) => storage.put('a', new Uint8Array(9), { signal })],
    ['while it waits for another try', fails(503, 'SlowDown', { 'retry-after': '3600' }), (storage: ObjectStorage, signal: AbortSignal) => storage.list({ prefix: '', signal })],
    ['in the middle of an answer', staysOpen, async (storage: ObjectStorage, signal: AbortSignal) => {
      for await (const piece of await storage.get('a', { signal })) expect(piece.length).toBe(4)
    }],
  ] as const)('is let go of %s', async (_when, reply, work) => {
    await using server = await scriptedServer(reply)
    const end = new AbortController()
    const working = work(s3Storage({ ...server.options, retry: { attempts: 9, baseMs: 1, maxMs: 3_600_000 } }), end.signal)
    await expect.poll(() => server.seen.length).toBe(1)
    end.abort()
    await expect(working).rejects.toMatchObject({ code: 'ABORTED' })
    expect(server.seen.length).toBe(1)
  })

  it('leaves nothing that keeps the process alive', async () => {
    await using server = await scriptedServer(fails(503, 'SlowDown', { 'retry-after': '3600' }))
    const before = activeTimers()
    const end = new AbortController()
    const working = s3Storage({ ...server.options, retry: { attempts: 9, baseMs: 1, maxMs: 3_600_000 } }).head('a', { signal: end.signal })
    await expect.poll(() => server.seen.length).toBe(1)
    end.abort()
    await expect(working).rejects.toBeInstanceOf(TidemarkError)
    expect(activeTimers()).toBeLessThanOrEqual(before)
  })
})

function activeTimers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
}
