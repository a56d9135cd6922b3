import { TidemarkError, type UploadedPart } from '@tidemark/core/adapter'
import { check } from '../assert/check.ts'
import { equal } from '../assert/equal.ts'
import { ConformanceError } from '../assert/conformance-error.ts'
import { putParts, readText, refuses, type StorageCase, storageCase, utf8 } from './storage-case.ts'

export const uploadCases: readonly StorageCase[] = [
  storageCase('STO-21', 'nothing of an upload can be read before it is complete, and then all of it', async ({ storage, facts }) => {
    await storage.put('a/b', utf8('before'), { metadata: { 'export-id': 'zero' } })
    const upload = { key: 'a/b', uploadId: await storage.createUpload('a/b', { metadata: { 'export-id': 'one' } }) }
    await putParts(storage, upload, [facts.partBytes, 3])
    const parts = await putParts(storage, upload, [facts.partBytes, 2])
    equal([await readText(storage, 'a/b'), (await storage.head('a/b'))?.metadata], ['before', { 'export-id': 'zero' }], 'what is there before')
    const { bytes, metadata } = await storage.completeUpload({ ...upload, parts })
    equal({ bytes, metadata }, { bytes: facts.partBytes + 2, metadata: { 'export-id': 'one' } }, 'what completing gives')
    const text = await readText(storage, 'a/b')
    equal([text.length, text.slice(0, 2), text.slice(-3)], [facts.partBytes + 2, 'aa', 'abb'], 'what is there then')
  }),
  storageCase('STO-22', 'completed once more, an upload is unknown, or gives the same object', async ({ storage, facts }) => {
    const upload = { key: 'a', uploadId: await storage.createUpload('a', { metadata: { 'export-id': 'one' } }) }
    const parts = await putParts(storage, upload, [facts.partBytes])
    await storage.completeUpload({ ...upload, parts })
    const again = await storage.completeUpload({ ...upload, parts }).catch((error: unknown) => error)
    check(again instanceof Error ? again instanceof TidemarkError && again.code === 'UPLOAD_UNKNOWN' : true, 'it is one of the two')
    const { bytes, metadata } = await storage.head('a') ?? {}
    equal({ bytes, metadata }, { bytes: facts.partBytes, metadata: { 'export-id': 'one' } }, 'the object')
  }),
  storageCase('STO-23', 'parts that are missing, replaced or out of order are refused, and nothing is lost by it', async ({ storage, facts }) => {
    const upload = { key: 'a', uploadId: await storage.createUpload('a') }
    const [first, second] = await putParts(storage, upload, [facts.partBytes, facts.partBytes])
    if (first === undefined || second === undefined) throw new ConformanceError('there are no parts')
    for (const parts of [[], [second], [second, first], [first, { ...second, number: 3 }], [first, { ...second, etag: first.etag === second.etag ? 'other' : `${second.etag}x` }]]) {
      await refuses('UPLOAD_PARTS_INVALID', () => storage.completeUpload({ ...upload, parts }))
    }
    await storage.completeUpload({ ...upload, parts: [first, second] })
    equal((await storage.head('a'))?.bytes, facts.partBytes * 2, 'the object')
  }),
  storageCase('STO-24', 'a part whose size is not allowed makes no object', async ({ storage, facts }) => {
    for (const sizes of [[facts.partBytes, facts.partBytes + 1, 1], [facts.partBytes, facts.partBytes + 1]]) {
      const upload = { key: 'a', uploadId: await storage.createUpload('a') }
      // Some look at a part when it comes, others at all of them in the end.
      const error: unknown = await putParts(storage, upload, sizes).then((parts) => storage.completeUpload({ ...upload, parts })).catch((caught: unknown) => caught)
      const code = error instanceof TidemarkError ? error.code : undefined
      check(code === 'UPLOAD_PARTS_INVALID' || (!facts.tellsPartSizes && code === 'UPLOAD_UNKNOWN'), `it is refused for its parts, and not with ${String(code)}`)
      equal(await storage.head('a'), undefined, 'what is there')
    }
  }, ({ capabilities }) => capabilities.equalParts || 'parts may have any size'),
  storageCase('STO-25', 'a part that is not the last has a least size', async ({ storage }) => {
    const upload = { key: 'a', uploadId: await storage.createUpload('a') }
    const parts = await putParts(storage, upload, [storage.capabilities.minPartBytes - 1, 1])
    await refuses('UPLOAD_PARTS_INVALID', () => storage.completeUpload({ ...upload, parts }))
  }, ({ capabilities }) => capabilities.minPartBytes > 1 || 'parts have no least size'),
  storageCase('STO-26', 'a number that no part has is refused', async ({ storage }) => {
    const upload = { key: 'a', uploadId: await storage.createUpload('a') }
    for (const number of [0, -1, 0.5, storage.capabilities.maxParts + 1]) await refuses('UPLOAD_PARTS_INVALID', () => storage.putPart({ ...upload, number, bytes: utf8('x') }))
  }),
  storageCase('STO-27', 'an upload that was aborted, is another key\'s, or never was, is unknown', async ({ storage, facts }) => {
    const upload = { key: 'a', uploadId: await storage.createUpload('a') }
    const [part] = await putParts(storage, upload, [facts.partBytes])
    await refuses('UPLOAD_UNKNOWN', () => storage.putPart({ ...upload, key: 'b', number: 1, bytes: utf8('x') }))
    await storage.abortUpload(upload)
    await storage.abortUpload(upload)
    for (const uploadId of [upload.uploadId, 'never', '../..']) await refuses('UPLOAD_UNKNOWN', () => storage.putPart({ key: 'a', uploadId, number: 1, bytes: utf8('x') }))
    await refuses('UPLOAD_UNKNOWN', () => storage.completeUpload({ ...upload, parts: part === undefined ? [] : [part] }))
    equal(await storage.head('a'), undefined, 'what is there')
  }),
  storageCase('STO-28', 'uploads that are under way are listed', async ({ storage }) => {
    const uploadId = await storage.createUpload('a/b')
    const other = await storage.createUpload('b')
    equal((await storage.listUploads?.('a/'))?.map((upload) => [upload.key, upload.uploadId]), [['a/b', uploadId]], 'those of a prefix')
    await storage.abortUpload({ key: 'a/b', uploadId })
    await storage.abortUpload({ key: 'b', uploadId: other })
    equal(await storage.listUploads?.(''), [], 'what is left')
  }, ({ capabilities }) => capabilities.listsUploads || 'it lists no uploads'),
  storageCase('STO-29', 'what it says it can\'t do, it has no method for', async ({ storage }) => {
    const { listsUploads, presigns } = storage.capabilities
    equal([storage.listUploads !== undefined, storage.presignGet !== undefined], [listsUploads, presigns], 'listUploads and presignGet')
    await Promise.resolve()
  }),
  storageCase('STO-30', 'once its first part is there, parts of an upload may come at the same time and in any order, beside another upload of the key', async ({ storage, facts }) => {
    const [one, two] = await Promise.all([storage.createUpload('a'), storage.createUpload('a')])
    const put = async (uploadId: string, number: number, letter: string): Promise<UploadedPart> => storage.putPart({ key: 'a', uploadId, number, bytes: utf8(letter.repeat(number === 3 ? 1 : facts.partBytes)) })
    const parts = [...await Promise.all([put(one, 1, 'a'), put(two, 1, 'x')]), ...await Promise.all([put(one, 3, 'c'), put(two, 3, 'z'), put(two, 2, 'y'), put(one, 2, 'b')])]
    const of = (indexes: readonly number[]): UploadedPart[] => parts.filter((_part, index) => indexes.includes(index)).toSorted((left, right) => left.number - right.number)
    for (const [uploadId, indexes, letters] of [[one, [0, 2, 5], 'abc'], [two, [1, 3, 4], 'xyz']] as const) {
      await storage.completeUpload({ key: 'a', uploadId, parts: of(indexes) })
      const text = await readText(storage, 'a')
      equal([text.length, `${text[0]}${text[facts.partBytes]}${text.at(-1)}`], [facts.partBytes * 2 + 1, letters], 'what is there')
    }
  }),
]
