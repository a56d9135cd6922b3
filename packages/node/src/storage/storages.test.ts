import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ObjectStorage } from '@tidemark/core/adapter'
import { memoryStorage } from '@tidemark/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fsStorage } from './fs-storage.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-storage-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

async function read(storage: ObjectStorage, key: string, range?: { readonly start: number; readonly end?: number }): Promise<string> {
  await using body = await storage.get(key, { range })
  let text = ''
  for await (const piece of body) text += new TextDecoder().decode(piece)
  return text
}

async function upload(storage: ObjectStorage, key: string, parts: readonly string[]): Promise<void> {
  const uploadId = await storage.createUpload(key, { metadata: { 'export-id': 'one' } })
  const uploaded = []
  for (const [index, part] of parts.entries()) uploaded.push(await storage.putPart({ key, uploadId, number: index + 1, bytes: bytes(part) }))
  await storage.completeUpload({ key, uploadId, parts: uploaded })
}

const NOT_KEYS = ['', '/', '/a', 'a/', 'a//b', '.', '..', '../a', 'a/../b', 'a/./b', 'a\0b', 'a\nb', 'a\\b', 'x'.repeat(1_025)]
const KEYS = ['a', 'a b/ü漢😀', '%2e%2e/a', 'a+b&c?d#e', '~x', '-', 'A/b.c-d_e', `${'x'.repeat(200)}/${'y'.repeat(200)}`]

describe.each([
  ['memory', () => memoryStorage({ minPartBytes: 3 })],
  ['a folder', () => fsStorage(join(folder, 'made'))],
] as const)('%s', (name, open) => {
  it.each(KEYS)('keeps %j', async (key) => {
    const storage = open()
    const put = await storage.put(key, bytes('text'), { metadata: { 'export-id': 'a b' } })
    expect(await storage.head(key)).toEqual(put)
    expect(put).toMatchObject({ key, bytes: 4, metadata: { 'export-id': 'a b' } })
    expect(await read(storage, key)).toBe('text')
    expect((await storage.list({ prefix: '' })).objects).toEqual([{ ...put, metadata: {} }])
    await storage.delete(key)
    await storage.delete(key)
    expect(await storage.head(key)).toBeUndefined()
  })

  it.each(NOT_KEYS)('refuses %j', async (key) => {
    const storage = open()
    for (const work of [storage.put(key, bytes('x')), storage.get(key), storage.head(key), storage.delete(key), storage.createUpload(key)]) {
      await expect(work).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    }
    expect(existsSync(join(folder, 'a'))).toBe(false)
  })

  it('reads ranges, and refuses those that begin behind the end', async () => {
    const storage = open()
    await storage.put('a', bytes('0123456789'))
    expect(await Promise.all([{ start: 0 }, { start: 3, end: 5 }, { start: 9, end: 99 }, { start: 2, end: 2 }].map((range) => read(storage, 'a', range)))).toEqual(['0123456789', '34', '9', ''])
    for (const range of [{ start: 10 }, { start: -1 }, { start: 5, end: 4 }, { start: 0.5 }]) await expect(storage.get('a', { range })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await storage.put('empty', new Uint8Array(0))
    expect(await read(storage, 'empty')).toBe('')
    await expect(storage.get('none')).rejects.toMatchObject({ code: 'OBJECT_UNKNOWN' })
  })

  it('lists in order of keys, a page at a time', async () => {
    const storage = open()
    const keys = ['a', 'a-b', 'a/b', 'a/c/d', 'a0', 'b'].filter((key) => name === 'memory' || key !== 'a')
    for (const key of keys.toReversed()) await storage.put(key, bytes(key))
    const found: string[] = []
    for (let after: string | undefined, isMore = true; isMore;) {
      const page = await storage.list({ prefix: 'a', after, limit: 2 })
      found.push(...page.objects.map((object) => object.key))
      after = page.next
      isMore = after !== undefined
    }
    expect(found).toEqual(keys.slice(0, -1))
    expect((await storage.list({ prefix: 'a/' })).objects.map(({ key }) => key)).toEqual(['a/b', 'a/c/d'])
    expect((await storage.list({ prefix: 'none/x' })).objects).toEqual([])
  })

  it('shows nothing of an upload before it is complete, and then all of it', async () => {
    const storage = open()
    await storage.put('a/b', bytes('before'), { metadata: { 'export-id': 'zero' } })
    const uploadId = await storage.createUpload('a/b', { metadata: { 'export-id': 'one' } })
    const first = await storage.putPart({ key: 'a/b', uploadId, number: 1, bytes: bytes('1234') })
    await storage.putPart({ key: 'a/b', uploadId, number: 2, bytes: bytes('xxxx') })
    const second = await storage.putPart({ key: 'a/b', uploadId, number: 2, bytes: bytes('56') })
    expect([await read(storage, 'a/b'), (await storage.head('a/b'))?.metadata]).toEqual(['before', { 'export-id': 'zero' }])
    expect(await storage.listUploads?.('a/')).toEqual([expect.objectContaining({ key: 'a/b', uploadId })])
    expect(await storage.completeUpload({ key: 'a/b', uploadId, parts: [first, second] })).toMatchObject({ bytes: 6, metadata: { 'export-id': 'one' } })
    expect(await read(storage, 'a/b')).toBe('123456')
    expect(await storage.listUploads?.('a/')).toEqual([])
    await expect(storage.completeUpload({ key: 'a/b', uploadId, parts: [first, second] })).rejects.toMatchObject({ code: 'UPLOAD_UNKNOWN' })
  })

  it('refuses parts that are missing, replaced, out of order or of a size that is not allowed', async () => {
    const storage = open()
    const uploadId = await storage.createUpload('a')
    const put = (number: number, text: string): ReturnType<ObjectStorage['putPart']> => storage.putPart({ key: 'a', uploadId, number, bytes: bytes(text) })
    const [first, second, third] = [await put(1, '1234'), await put(2, '1234'), await put(3, '123')]
    const complete = (parts: readonly (typeof first)[]): Promise<unknown> => storage.completeUpload({ key: 'a', uploadId, parts })
    for (const parts of [[], [second], [first, third], [second, first], [first, { ...second, etag: 'other' }], [first, third, second], [first, { ...third, number: 2 }]]) {
      await expect(complete(parts)).rejects.toMatchObject({ code: 'UPLOAD_PARTS_INVALID' })
    }
    const shorter = await put(2, '12345'.slice(0, 3))
    await expect(complete([first, shorter, third])).rejects.toMatchObject({ code: 'UPLOAD_PARTS_INVALID' })
    await expect(put(0, 'x')).rejects.toMatchObject({ code: 'UPLOAD_PARTS_INVALID' })
    await complete([first, shorter])
    expect(await read(storage, 'a')).toBe('1234123')
  })

  it('knows no upload that was aborted, that is another key\'s, or that never was', async () => {
    const storage = open()
    const uploadId = await storage.createUpload('a')
    await expect(storage.putPart({ key: 'b', uploadId, number: 1, bytes: bytes('x') })).rejects.toMatchObject({ code: 'UPLOAD_UNKNOWN' })
    await storage.abortUpload({ key: 'a', uploadId })
    await storage.abortUpload({ key: 'a', uploadId })
    for (const id of [uploadId, 'never', '../..']) await expect(storage.putPart({ key: 'a', uploadId: id, number: 1, bytes: bytes('x') })).rejects.toMatchObject({ code: 'UPLOAD_UNKNOWN' })
  })

  it('refuses metadata that some storage would lose', async () => {
    for (const metadata of [{ export_id: 'x' }, { Upper: 'x' }, { a: 'ü' }, { a: 'b\nc' }, { a: '' }]) await expect(open().put('a', bytes('x'), { metadata })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  it('does nothing for who has given up', async () => {
    await expect(open().put('a', bytes('x'), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
    expect(await open().head('a')).toBeUndefined()
  })
})

describe('a folder', () => {
  it('leads nowhere else by a link, and takes none for an object', async () => {
    const outside = join(folder, 'outside')
    mkdirSync(outside)
    mkdirSync(join(folder, 'in'))
    writeFileSync(join(outside, 'secret'), 'secret')
    symlinkSync(outside, join(folder, 'in', 'link'))
    symlinkSync(join(outside, 'secret'), join(folder, 'in', 'file'))
    const storage = fsStorage(join(folder, 'in'))
    for (const work of [storage.put('link/new', bytes('x')), storage.get('link/secret')]) await expect(work).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(storage.get('file')).rejects.toMatchObject({ code: 'OBJECT_UNKNOWN' })
    expect(readdirSync(outside)).toEqual(['secret'])
  })

  it('keeps its own folder to itself', async () => {
    const storage = fsStorage(folder)
    await upload(storage, 'a/b', ['1234', '5'])
    for (const key of ['.tidemark/x', '.TIDEMARK/x', '.tidemark']) await expect(storage.put(key, bytes('x'))).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    expect((await storage.list({ prefix: '' })).objects.map(({ key }) => key)).toEqual(['a/b'])
    expect(readdirSync(join(folder, '.tidemark', 'uploads'))).toEqual([])
  })

  it('does not give a file the metadata of the one that it replaced', async () => {
    const storage = fsStorage(folder)
    await storage.put('a', bytes('x'), { metadata: { 'export-id': 'one' } })
    rmSync(join(folder, 'a'))
    writeFileSync(join(folder, 'a'), 'y')
    expect((await storage.head('a'))?.metadata).toEqual({})
  })

  it('is unknown where it is not to be made', async () => {
    await expect(fsStorage(join(folder, 'none'), { create: false }).put('a', bytes('x'))).rejects.toMatchObject({ code: 'BUCKET_UNKNOWN' })
    expect(existsSync(join(folder, 'none'))).toBe(false)
  })
})
