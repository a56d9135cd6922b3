import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ObjectStorage } from '@tidemark/core/adapter'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fsStorage } from './fs-storage.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-storage-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

async function upload(storage: ObjectStorage, key: string, parts: readonly string[]): Promise<void> {
  const uploadId = await storage.createUpload(key, { metadata: { 'export-id': 'one' } })
  const uploaded = []
  for (const [index, part] of parts.entries()) uploaded.push(await storage.putPart({ key, uploadId, number: index + 1, bytes: bytes(part) }))
  await storage.completeUpload({ key, uploadId, parts: uploaded })
}

describe('a folder', () => {
  it('leads nowhere else by a link, and takes none for an object', async () => {
    const outside = join(folder, 'outside')
    mkdirSync(outside)
    mkdirSync(join(folder, 'in'))
    writeFileSync(join(outside, 'secret'), 'secret')
    symlinkSync(outside, join(folder, 'in', 'link'))
    symlinkSync(join(outside, 'secret'), join(folder, 'in', 'file'))
    const storage = fsStorage(join(folder, 'in'))
    await expect(storage.put('link/new', bytes('x'))).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(storage.get('link/secret')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
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
