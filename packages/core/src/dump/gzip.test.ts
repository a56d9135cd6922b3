import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { collectBytes } from './collect-bytes.ts'
import { gzip } from './gzip.ts'

const bytes = new TextEncoder().encode('a line of text\n'.repeat(50_000))

async function* pieces(of: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < of.length; at += size) yield await Promise.resolve(of.subarray(at, at + size))
}

const decompress = (source: AsyncIterable<Uint8Array>): Promise<Uint8Array> => collectBytes(gzip.decompress(source), Number.MAX_SAFE_INTEGER)

describe('gzip', () => {
  it('gives what others read, and the same each time', async () => {
    const compressed = await gzip.compress(bytes)
    expect(compressed.length).toBeLessThan(bytes.length / 10)
    expect(gunzipSync(compressed).equals(bytes)).toBe(true)
    expect(Buffer.compare(await gzip.compress(bytes), compressed)).toBe(0)
  })

  it.each([1, 7, 1_000_000])('reads what others give, in pieces of %i', async (size) => {
    expect(Buffer.compare(await decompress(pieces(gzipSync(bytes), size)), bytes)).toBe(0)
  })

  it('says that something is wrong with what was cut short or altered', async () => {
    const compressed = await gzip.compress(bytes)
    await expect(decompress(pieces(compressed.subarray(0, 500), 100))).rejects.toThrow()
    await expect(decompress(pieces(compressed.map((byte, index) => (index === 300 ? byte ^ 1 : byte)), 100))).rejects.toThrow()
  })

  it('gives on what its source says, and lets it go when nobody reads on', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(gzipSync(bytes).subarray(0, 100))
      throw new RangeError('the source')
    }
    await expect(decompress(failing())).rejects.toThrow('the source')
    let isReleased = false
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield await Promise.resolve(gzipSync(bytes))
      } finally {
        isReleased = true
      }
    }
    for await (const piece of gzip.decompress(endless())) if (piece.length > 0) break
    expect(isReleased).toBe(true)
  })
})
