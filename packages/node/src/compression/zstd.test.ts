import { randomBytes } from 'node:crypto'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { zstd } from './zstd.ts'

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size))
}

async function decompressed(bytes: Uint8Array, size = 65_536): Promise<Buffer> {
  const out: Uint8Array[] = []
  for await (const piece of zstd.decompress(pieces(bytes, size))) out.push(piece)
  return Buffer.concat(out)
}

const TEXT = Buffer.from('INSERT INTO t VALUES (1, \'a row of text\');\n'.repeat(50_000))

describe('zstd', () => {
  it('gives back what it took, cut anywhere', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), fc.integer({ min: 1, max: 9 }), async (bytes, size) => {
      expect(new Uint8Array(await decompressed(await zstd.compress(bytes), size))).toEqual(bytes)
    }))
    const packed = await zstd.compress(TEXT)
    expect(packed.length).toBeLessThan(TEXT.length / 100)
    expect((await decompressed(packed)).equals(TEXT)).toBe(true)
  })

  it('is one frame that others read, and always the same', async () => {
    const packed = await zstd.compress(TEXT)
    expect(Buffer.from(packed).equals(await zstd.compress(TEXT))).toBe(true)
    expect(zstdDecompressSync(packed).equals(TEXT)).toBe(true)
    expect((await decompressed(zstdCompressSync(TEXT))).equals(TEXT)).toBe(true)
  })

  it('fails for what was altered or cut short', async () => {
    const packed = Buffer.from(await zstd.compress(randomBytes(100_000)))
    const damaged = Buffer.from(packed)
    damaged[50_000] = (damaged[50_000] ?? 0) ^ 1
    await expect(decompressed(damaged)).rejects.toThrow()
    await expect(decompressed(packed.subarray(0, 50_000))).rejects.toThrow()
    await expect(decompressed(Buffer.from('no zstd at all'))).rejects.toThrow()
  })

  it('lets go of its source when nobody reads on', async () => {
    let isOver = false
    const packed = await zstd.compress(randomBytes(3_000_000))
    const source = async function* (): AsyncGenerator<Uint8Array> {
      try {
        yield* pieces(packed, 1_000)
      } finally {
        isOver = true
      }
    }
    for await (const piece of zstd.decompress(source())) if (piece.length > 0) break
    await expect.poll(() => isOver).toBe(true)
  })

  it('throws what its source throws', async () => {
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(new Uint8Array(0))
      throw new RangeError('of the source')
    }
    await expect(async () => {
      for await (const piece of zstd.decompress(source())) expect(piece).toBeUndefined()
    }).rejects.toThrow(RangeError)
  })
})
