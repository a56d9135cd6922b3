import type { ExportBlock } from '@tidemark/core/adapter'
import { expect, it } from 'vitest'
import { BlockBuilder } from './block-builder.ts'
import { parsePosition } from './scan-position.ts'

const PAGE_BYTES = 1 << 22
const TEXT = 'x'.repeat(60)
/** A row of one cell, as the server sends it. */
const ROW = Buffer.concat([Buffer.from([TEXT.length + 1, 0, 0, 0, TEXT.length]), Buffer.from(TEXT)])

function builderOf(maxBytes: number): BlockBuilder {
  const cells = [{ kind: 'text', long: undefined, longLiteral: () => '' }] as const
  return new BlockBuilder({ selects: [], keyCells: 0, longCells: 0, cells, prefix: Buffer.from('INSERT INTO t (c) VALUES\n'), maxBytes }, parsePosition(undefined))
}

function page(builder: BlockBuilder): { readonly blocks: readonly ExportBlock[]; readonly bytes: number; readonly memory: ReadonlySet<ArrayBufferLike> } {
  const blocks: ExportBlock[] = []
  let bytes = 0
  while (bytes < PAGE_BYTES) {
    builder.push(ROW)
    for (const block of builder.take()) {
      blocks.push(block)
      bytes += block.bytes.length
    }
  }
  return { blocks, bytes, memory: new Set(blocks.map((block) => block.bytes.buffer)) }
}

function lengthOf(memory: ReadonlySet<ArrayBufferLike>): number {
  return [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0)
}

it.each([1000, 20_000, 100_000, 1 << 22])('has hardly more than twice the memory of a page where a statement has %d bytes, and nearly all of the next page is in the same', (maxBytes) => {
  const builder = builderOf(maxBytes)
  const first = page(builder)
  expect(lengthOf(first.memory)).toBeLessThanOrEqual(2.5 * first.bytes)
  builder.recycle(first.blocks)
  const second = page(builder)
  // One is being filled at the end of a page, and the first of all is smaller than a piece.
  expect([...second.memory].filter((piece) => !first.memory.has(piece)).length).toBeLessThanOrEqual(2 + first.memory.size / 10)
})
