import { equal } from '../assert/equal.ts'
import { ConformanceError } from '../assert/conformance-error.ts'
import { eventually } from '../assert/eventually.ts'
import { refuses, type StorageCase, storageCase, utf8 } from './storage-case.ts'

export const accessCases: readonly StorageCase[] = [
  storageCase('STO-41', 'a signed URL reads the object without credentials, and no other', async ({ storage, fetch }) => {
    await storage.put('a b/ü+', utf8('text'))
    await storage.put('other', utf8('secret'))
    const url = await storage.presignGet?.('a b/ü+', { expiresInMs: 60_000, fileName: 'ü "x".sql' })
    if (url === undefined || fetch === undefined) throw new ConformanceError('it gives no URL, or nobody to read it')
    equal(await fetch(url), { status: 200, text: 'text' }, 'what it reads')
    equal((await fetch(url.replace(/a%20b[^?]*/, 'other'))).status, 403, 'what it reads of another')
    for (const expiresInMs of [0, 999, 8 * 86_400_000, Number.NaN]) await refuses('CONFIG_INVALID', () => storage.presignGet?.('a', { expiresInMs }) ?? Promise.resolve(''))
  }, ({ capabilities }) => capabilities.presigns || 'it signs no URLs'),
  storageCase('STO-42', 'a wrong secret is refused, and is in no error', async ({ wrongSecret }) => {
    const storage = wrongSecret?.()
    if (storage === undefined) throw new ConformanceError('there is no storage with a wrong secret')
    for (const work of [() => storage.put('a', utf8('x')), () => storage.head('a'), () => storage.get('a'), () => storage.list({ prefix: '' }), () => storage.createUpload('a')]) {
      await refuses('STORAGE_AUTH_FAILED', async () => void await work())
    }
  }, ({ facts }) => facts.wrongSecret || 'it has no secret'),
  storageCase('STO-43', 'a bucket that is not there is told', async ({ wrongBucket }) => {
    const storage = wrongBucket?.()
    if (storage === undefined) throw new ConformanceError('there is no storage of a wrong bucket')
    await refuses('BUCKET_UNKNOWN', () => storage.put('a', utf8('x')))
    await refuses('BUCKET_UNKNOWN', () => storage.createUpload('a'))
  }, ({ facts }) => facts.wrongBucket || 'no bucket can be wrong'),
  storageCase('STO-44', 'a signed URL ends', async ({ storage, fetch }) => {
    await storage.put('a', utf8('text'))
    const url = await storage.presignGet?.('a', { expiresInMs: 1_000 })
    if (url === undefined || fetch === undefined) throw new ConformanceError('it gives no URL, or nobody to read it')
    const status = await eventually(async () => {
      const answer = await fetch(url)
      return answer.status === 200 ? undefined : answer.status
    }, 'a URL of one second is refused')
    equal(status, 403, 'what it is refused with')
  }, ({ capabilities }) => capabilities.presigns || 'it signs no URLs'),
]
