import { createDecipheriv, hkdfSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DumpKey } from './dump-key.ts'
import { DumpKeys } from './dump-keys.ts'

const BYTES = Uint8Array.from({ length: 32 }, (_, index) => index * 7)
const BASE64 = Buffer.from(BYTES).toString('base64')
const PLACE = { path: 'rows/0001-t-000001.csv.enc', isLast: false }
const key = await DumpKey.derive(BYTES, 'export_1')

describe('DumpKey', () => {
  it('opens what it sealed, of any length', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (bytes, isLast) => {
      const sealed = await key.seal(bytes, { ...PLACE, isLast })
      expect(sealed).toHaveLength(bytes.length + 52)
      expect(await key.open(sealed, { ...PLACE, isLast })).toEqual(bytes)
    }))
  })

  it('writes what its description says, which other tools can read', async () => {
    const sealed = await key.seal(Buffer.from('some rows'), PLACE)
    expect(Buffer.from(sealed.subarray(0, 4)).toString()).toBe('TME1')
    const own = new Uint8Array(hkdfSync('sha256', BYTES, sealed.subarray(4, 36), 'tidemark-dump.v1.object export_1', 32))
    const decipher = createDecipheriv('aes-256-gcm', own, new Uint8Array(12)).setAAD(Buffer.from(JSON.stringify(['export_1', PLACE.path, false]))).setAuthTag(sealed.subarray(sealed.length - 16))
    expect(Buffer.concat([decipher.update(sealed.subarray(36, sealed.length - 16)), decipher.final()]).toString()).toBe('some rows')
  })

  it('never uses a key twice', async () => {
    const objects = await Promise.all(Array.from({ length: 50 }, () => key.seal(Buffer.from('the same'), PLACE)))
    expect(new Set(objects.map((object) => Buffer.from(object.subarray(4, 36)).toString('hex'))).size).toBe(50)
    expect(new Set(objects.map((object) => Buffer.from(object.subarray(36)).toString('hex'))).size).toBe(50)
  })

  it('opens nothing that was altered, in any byte', async () => {
    const sealed = await key.seal(Buffer.from('rows'), PLACE)
    for (let at = 0; at < sealed.length; at += 1) expect(await key.open(sealed.with(at, (sealed[at] ?? 0) ^ 1), PLACE)).toBeUndefined()
    for (let length = 0; length < sealed.length; length += 1) expect(await key.open(sealed.slice(0, length), PLACE)).toBeUndefined()
  })

  it('opens nothing elsewhere: of another dump, another object, or another end', async () => {
    const sealed = await key.seal(Buffer.from('rows'), PLACE)
    expect(await (await DumpKey.derive(BYTES, 'export_2')).open(sealed, PLACE)).toBeUndefined()
    expect(await key.open(sealed, { ...PLACE, path: 'rows/0001-t-000002.csv.enc' })).toBeUndefined()
    expect(await key.open(sealed, { ...PLACE, isLast: true })).toBeUndefined()
    expect(await (await DumpKey.derive(BYTES.with(3, 0), 'export_1')).open(sealed, PLACE)).toBeUndefined()
  })

  it('digests under a key of the dump', async () => {
    const digest = await key.digest(Buffer.from('1'))
    expect(digest).toMatch(/^[\da-f]{64}$/)
    expect(await (await DumpKey.derive(BYTES, 'export_2')).digest(Buffer.from('1'))).not.toBe(digest)
    expect([await key.isDigestOf('1', digest), await key.isDigestOf('2', digest), await key.isDigestOf('1', '')]).toEqual([true, false, false])
  })
})

describe('DumpKeys', () => {
  it('finds the key by its name; the first one writes', async () => {
    const keys = new DumpKeys([{ key: BASE64, keyId: 'new' }, { key: () => BASE64, keyId: 'old' }])
    expect(keys.keyId).toBe('new')
    expect((await keys.open('old', { id: 'export_1', check: key.check })).check).toBe(key.check)
    expect(new DumpKeys({ key: BASE64 }).keyId).toBe('default')
    expect(new DumpKeys(undefined).keyId).toBeUndefined()
  })

  it('tells a missing key, another one, and what is none', async () => {
    const keys = new DumpKeys([{ key: Buffer.alloc(32).toString('base64'), keyId: 'a' }, { key: Buffer.alloc(31).toString('base64'), keyId: 'short' }, { key: 'kein Schlüssel', keyId: 'text' }, { key: { env: 'TIDEMARK_NO_SUCH_KEY' }, keyId: 'env' }])
    const open = (keyId: string): Promise<unknown> => keys.open(keyId, { id: 'export_1', check: key.check })
    await expect(open('b')).rejects.toMatchObject({ code: 'DUMP_KEY_MISSING', detail: 'b' })
    await expect(open('a')).rejects.toMatchObject({ code: 'DUMP_KEY_WRONG', detail: 'a' })
    for (const keyId of ['short', 'text', 'env']) await expect(open(keyId)).rejects.toMatchObject({ code: 'SECRET_MISSING' })
    await expect(open('text')).rejects.not.toMatchObject({ message: expect.stringContaining('kein') })
  })

  it('asks again for a secret that could not be had', async () => {
    const given = ['', BASE64]
    const keys = new DumpKeys({ key: () => given.shift() ?? '' })
    await expect(keys.open('default', { id: 'x', check: undefined })).rejects.toMatchObject({ code: 'SECRET_MISSING' })
    const opened = await keys.open('default', { id: 'x', check: undefined })
    expect(await keys.open('default', { id: 'x', check: opened.check })).toBe(opened)
  })
})
