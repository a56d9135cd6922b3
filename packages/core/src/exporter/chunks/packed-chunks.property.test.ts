import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StreamCursor } from '../export-state.ts'
import type { Chunk } from './chunk.ts'
import { PackedChunks, type HeadedChunks, type PackMode } from './packed-chunks.ts'
import type { Piece, PieceReader } from './piece.ts'

const signal = new AbortController().signal
const NO_HEADER = new Uint8Array(0)
const NONE = { first: false, later: false, empty: false }

/** Statements of the given sizes, in pages of the given lengths. A statement ends with a line break, and has none before. */
function reader({ sizes, pages, joined }: Pick<Setting, 'sizes' | 'pages' | 'joined'>, cursor: StreamCursor): PieceReader {
  let at = Number(cursor.after ?? 0)
  let turn = 0
  return {
    next: () => {
      if (at >= sizes.length) return Promise.resolve(undefined)
      const taken = sizes.slice(at, at + (pages[turn++ % pages.length] ?? 1))
      const from = at
      at += taken.length
      return Promise.resolve(taken.map((size, index): Piece => {
        const bytes = new Uint8Array(size).fill(65 + ((from + index) % 26))
        bytes[size - 1] = 10
        return { bytes, rows: 1, table: 0, cursor: { section: 0, after: String(from + index + 1) }, continues: continues({ joined }, from + index) }
      }))
    },
  }
}

interface Setting {
  readonly sizes: readonly number[]
  readonly pages: readonly number[]
  /** Which pieces go on with the next one, over and over. */
  readonly joined: readonly boolean[]
  readonly mode: PackMode
  readonly header: Uint8Array
  readonly heads: HeadedChunks
}

const CHUNK_BYTES = 64

function continues({ joined }: Pick<Setting, 'joined'>, index: number): boolean {
  return joined[index % joined.length] ?? false
}

async function pack({ sizes, pages, joined, ...packing }: Setting, cursor: StreamCursor = { section: 0 }): Promise<readonly Chunk[]> {
  const chunks = new PackedChunks({ ...packing, pieces: reader({ sizes, pages, joined }, cursor), chunkBytes: CHUNK_BYTES, cursor, from: 0, to: 1 })
  const found: Chunk[] = []
  for (let chunk = await chunks.next(signal); chunk !== undefined; chunk = await chunks.next(signal)) found.push({ ...chunk, bytes: chunk.bytes.slice() })
  return found
}

function join(chunks: readonly Chunk[]): string {
  return chunks.map(({ bytes }) => new TextDecoder().decode(bytes)).join('')
}

const setting: fc.Arbitrary<Setting> = fc.record({
  sizes: fc.array(fc.integer({ min: 1, max: CHUNK_BYTES }), { maxLength: 40 }),
  pages: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 3 }),
  joined: fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }),
  mode: fc.constantFrom('pad', 'split', 'cut'),
  header: fc.constantFrom(NO_HEADER, new TextEncoder().encode('a,b\n')),
  heads: fc.record({ first: fc.boolean(), later: fc.boolean(), empty: fc.boolean() }),
}).map((one) => (one.mode === 'cut' ? one : { ...one, header: one.mode === 'pad' ? NO_HEADER : one.header, heads: { ...one.heads, later: false } }))

describe('PackedChunks', () => {
  it('loses and repeats nothing, and counts every row', async () => {
    await fc.assert(fc.asyncProperty(setting, async (given) => {
      const chunks = await pack(given)
      const header = new TextDecoder().decode(given.header)
      const text = chunks.map((chunk, index) => join([chunk]).slice(given.heads[index === 0 ? 'first' : 'later'] ? header.length : 0)).join('')
      const expected = given.sizes.map((size, index) => String.fromCharCode(65 + (index % 26)).repeat(size - 1)).join('\n')
      expect(text.replaceAll(/\n+/g, '\n')).toBe(`${expected}${given.sizes.length > 0 ? '\n' : ''}`.replaceAll(/\n+/g, '\n'))
      expect(chunks.reduce((sum, chunk) => sum + chunk.rowCount, 0)).toBe(given.sizes.length)
      expect(chunks.map((chunk) => chunk.isLast)).toEqual(chunks.map((_, index) => index === chunks.length - 1))
    }))
  })

  it('makes parts of one size but for the last, which is no larger', async () => {
    await fc.assert(fc.asyncProperty(setting.filter(({ mode }) => mode !== 'cut'), async (given) => {
      const chunks = await pack(given)
      for (const { bytes, isLast } of chunks) {
        if (isLast) expect(bytes.length).toBeLessThanOrEqual(CHUNK_BYTES)
        else expect(bytes.length).toBe(CHUNK_BYTES)
      }
    }))
  })

  it('goes on from any chunk as if it had never stopped, whatever the pages then are', async () => {
    await fc.assert(fc.asyncProperty(setting, fc.nat(), fc.integer({ min: 1, max: 9 }), async (given, choice, pageRows) => {
      const all = await pack(given)
      const at = choice % (all.length + 1)
      const cursor = all[at - 1]?.cursor ?? { section: 0 }
      if (cursor.section === 1) return
      expect(await pack({ ...given, pages: [pageRows] }, cursor)).toEqual(all.slice(at))
    }))
  })

  it('refuses a statement that no part can hold', async () => {
    await expect(pack({ sizes: [10, CHUNK_BYTES + 1], pages: [9], joined: [false], mode: 'pad', header: NO_HEADER, heads: NONE })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  it('ends no object of a directory between pieces that belong together, and makes none larger for anything else', async () => {
    await fc.assert(fc.asyncProperty(setting.filter(({ mode }) => mode === 'cut'), async (given) => {
      let from = 0
      for (const { bytes, rowCount, isLast } of await pack(given)) {
        const to = from + rowCount
        expect(isLast || !continues(given, to - 1)).toBe(true)
        let group = to - 1
        while (group > from && continues(given, group - 1)) group -= 1
        const before = given.sizes.slice(group, to).reduce((sum, size) => sum - size, bytes.length)
        expect(before).toBeLessThanOrEqual(CHUNK_BYTES)
        from = to
      }
    }))
  })

  it('lets an object of a directory grow for one that is larger', async () => {
    const chunks = await pack({ sizes: [10, CHUNK_BYTES + 1, 10], pages: [9], joined: [false], mode: 'cut', header: NO_HEADER, heads: NONE })
    expect(chunks.map(({ bytes }) => bytes.length)).toEqual([10, CHUNK_BYTES + 1, 10])
  })
})
