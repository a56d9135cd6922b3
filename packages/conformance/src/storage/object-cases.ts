import { sha256Hex } from '@tidemark/core/adapter'
import { check } from '../assert/check.ts'
import { equal } from '../assert/equal.ts'
import { putParts, readBytes, readText, refuses, type StorageCase, storageCase, utf8 } from './storage-case.ts'

const KEYS = ['a', 'a b/ü漢😀', '%2e%2e/a', 'a+b&c?d#e', '~x', '-', 'A/b.c-d_e', 'it\'s (a) *!', `${'x'.repeat(200)}/${'y'.repeat(200)}`]
/** Headers tell seconds, and a request may begin in one and end in the next. */
const CLOCK_MS = 5_000

const NOT_KEYS = ['', '/', '/a', 'a/', 'a//b', '.', '..', '../a', 'a/../b', 'a/./b', 'a\0b', 'a\nb', 'a\\b', 'x'.repeat(1_025)]

export const objectCases: readonly StorageCase[] = [
  storageCase('STO-1', 'an object of any key is there as it was put, and gone once it is deleted', async ({ storage }) => {
    for (const key of KEYS) {
      const put = await storage.put(key, utf8('text'), { metadata: { 'export-id': 'a b' }, contentType: 'text/plain' })
      equal({ key: put.key, bytes: put.bytes, metadata: put.metadata }, { key, bytes: 4, metadata: { 'export-id': 'a b' } }, 'what put gives')
      const { modifiedAtMs = Number.NaN, ...head } = await storage.head(key) ?? {}
      equal({ ...head, modifiedAtMs: put.modifiedAtMs }, put, 'what head gives')
      check(Math.abs(modifiedAtMs - put.modifiedAtMs) <= CLOCK_MS, 'both tell the same time')
      equal(await readText(storage, key), 'text', 'its bytes')
      equal((await storage.list({ prefix: '' })).objects.map((object) => object.key), [key], 'the list')
      await storage.delete(key)
      await storage.delete(key)
      equal(await storage.head(key), undefined, 'what is left')
    }
  }),
  storageCase('STO-2', 'a key that some storage would take for another place is refused', async ({ storage }) => {
    for (const key of NOT_KEYS) {
      await refuses('CONFIG_INVALID', () => storage.put(key, utf8('x')))
      await refuses('CONFIG_INVALID', () => storage.get(key))
      await refuses('CONFIG_INVALID', () => storage.head(key))
      await refuses('CONFIG_INVALID', () => storage.delete(key))
      await refuses('CONFIG_INVALID', () => storage.createUpload(key))
    }
  }),
  storageCase('STO-3', 'a put replaces what is there, its metadata too, and tells it by the etag', async ({ storage }) => {
    const first = await storage.put('a', utf8('first'), { metadata: { 'export-id': 'one' } })
    const second = await storage.put('a', utf8('other'))
    equal([await readText(storage, 'a'), second.metadata], ['other', {}], 'what is there')
    check(first.etag !== second.etag, 'two objects have two etags')
  }),
  storageCase('STO-4', 'an object that is not there is unknown', async ({ storage }) => {
    equal(await storage.head('none'), undefined, 'what head gives')
    await refuses('OBJECT_UNKNOWN', () => storage.get('none'))
    await refuses('OBJECT_UNKNOWN', () => storage.get('none', { range: { start: 3, end: 4 } }))
  }),
  storageCase('STO-5', 'metadata that does not come back from every storage is refused', async ({ storage }) => {
    for (const metadata of [{ export_id: 'x' }, { Upper: 'x' }, { a: 'ü' }, { a: 'b\nc' }, { a: '' }]) await refuses('CONFIG_INVALID', () => storage.put('a', utf8('x'), { metadata }))
  }),
  storageCase('STO-6', 'nothing is done for who has given up', async ({ storage, facts }) => {
    await storage.put('there', utf8('text'))
    const upload = { key: 'a', uploadId: await storage.createUpload('a') }
    const parts = await putParts(storage, upload, [facts.partBytes])
    const signal = AbortSignal.abort()
    const works: readonly (() => Promise<unknown>)[] = [
      () => storage.put('a', utf8('x'), { signal }), () => storage.head('there', { signal }), () => storage.get('there', { signal }), () => storage.get('there', { range: { start: 1 }, signal }),
      () => storage.list({ prefix: '', signal }), () => storage.delete('there', { signal }), () => storage.createUpload('a', { signal }), () => storage.putPart({ ...upload, number: 1, bytes: utf8('x'), signal }),
      () => storage.completeUpload({ ...upload, parts, signal }), () => storage.abortUpload(upload, { signal }),
    ]
    for (const work of works) await refuses('ABORTED', work)
    equal([await storage.head('a'), await readText(storage, 'there')], [undefined, 'text'], 'what is there')
    equal((await storage.completeUpload({ ...upload, parts })).bytes, facts.partBytes, 'what the upload gives then')
  }),
  storageCase('STO-7', 'a range is those bytes, and one that begins behind the end is refused', async ({ storage }) => {
    await storage.put('a', utf8('0123456789'))
    const read = (start: number, end?: number): Promise<string> => readText(storage, 'a', end === undefined ? { start } : { start, end })
    equal([await read(0), await read(3, 5), await read(0, 1), await read(9, 99), await read(2, 2), await read(4)], ['0123456789', '34', '0', '9', '', '456789'], 'the ranges')
    for (const range of [{ start: 10 }, { start: 11, end: 12 }, { start: -1 }, { start: 5, end: 4 }, { start: 0.5 }]) await refuses('CONFIG_INVALID', () => storage.get('a', { range }))
    await using body = await storage.get('a', { range: { start: 8 } })
    equal(body.object.bytes, 10, 'the size of the whole object')
  }),
  storageCase('STO-8', 'an empty object has no bytes, and its only range neither', async ({ storage }) => {
    await storage.put('empty', new Uint8Array(0))
    equal([await readText(storage, 'empty'), await readText(storage, 'empty', { start: 0 }), (await storage.head('empty'))?.bytes], ['', '', 0], 'an empty object')
  }),
  storageCase('STO-9', 'a body may be let go of before its end', async ({ storage }) => {
    await storage.put('a', new Uint8Array(3_000_000))
    for await (const piece of await storage.get('a')) {
      check(piece.length > 0, 'no piece is empty')
      break
    }
    await (await storage.get('a'))[Symbol.asyncDispose]()
    equal((await storage.head('a'))?.bytes, 3_000_000, 'the object')
  }),
  storageCase('STO-10', 'keys are listed in their order, a page at a time', async ({ storage, facts }) => {
    const keys = ['a', 'a-b', 'a/b', 'a/c/d', 'a0', 'b'].filter((key) => facts.nestsKeys || key !== 'a')
    for (const key of keys.toReversed()) await storage.put(key, utf8(key))
    const found: string[] = []
    for (let after: string | undefined, isMore = true; isMore;) {
      const page = await storage.list({ prefix: 'a', after, limit: 2 })
      check(page.objects.length <= 2, 'a page has no more than was asked for')
      found.push(...page.objects.map((object) => object.key))
      after = page.next
      isMore = after !== undefined
    }
    equal(found, keys.slice(0, -1), 'all pages')
    equal((await storage.list({ prefix: 'a/' })).objects.map(({ key, bytes }) => [key, bytes]), [['a/b', 3], ['a/c/d', 5]], 'a part of them')
    equal(await storage.list({ prefix: 'none/x' }), { objects: [], next: undefined }, 'none of them')
  }),
  storageCase('STO-11', 'a put may be refused where an object is', async ({ storage }) => {
    await storage.put('a', utf8('first'), { ifAbsent: true })
    await refuses('OBJECT_EXISTS', () => storage.put('a', utf8('second'), { ifAbsent: true }))
    equal(await readText(storage, 'a'), 'first', 'what is there')
  }, ({ capabilities }) => capabilities.conditionalPut || 'it has no conditional put'),
  storageCase('STO-12', 'a conditional put is refused by a storage that has none', async ({ storage }) => {
    await refuses('NOT_SUPPORTED', () => storage.put('a', utf8('x'), { ifAbsent: true }))
    equal(await storage.head('a'), undefined, 'what is there')
  }, ({ capabilities }) => !capabilities.conditionalPut || 'it has a conditional put'),
  storageCase('STO-13', 'bytes come back as they were, whatever they are', async ({ storage }) => {
    const bytes = Uint8Array.from({ length: 1_000_003 }, (_, index) => (index * index) >> 3)
    await storage.put('a', bytes)
    equal(await digest(await readBytes(storage, 'a')), await digest(bytes), 'all of them')
    equal(await digest(await readBytes(storage, 'a', { start: 65_535, end: 900_001 })), await digest(bytes.subarray(65_535, 900_001)), 'a range of them')
  }),
]

async function digest(bytes: Uint8Array): Promise<string> {
  return `${bytes.length} ${await sha256Hex(bytes)}`
}
