import { expect, it } from 'vitest'
import { BlockBuffer } from './block-buffer.ts'

const ROW = new TextEncoder().encode(`${'x'.repeat(299)}\n`)
const PAGE_BYTES = 1 << 22

/** A page, and the memory that it is in. */
function page(buffer: BlockBuffer): { readonly bytes: number; readonly memory: ReadonlySet<ArrayBufferLike> } {
  const memory = new Set<ArrayBufferLike>()
  let bytes = 0
  while (bytes < PAGE_BYTES) {
    while (!buffer.isFullWith(ROW.length)) buffer.add(ROW, 0, ROW.length)
    buffer.add(ROW, 0, ROW.length)
    const block = buffer.take()
    memory.add(block.buffer)
    bytes += block.length
  }
  return { bytes, memory }
}

function lengthOf(memory: ReadonlySet<ArrayBufferLike>): number {
  return [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0)
}

it.each([1000, 20_000, 100_000, 1 << 22])('has no more than twice the memory of a page where a block has %d bytes, and the next page is in the same', (blockBytes) => {
  const buffer = new BlockBuffer('COPY t FROM stdin;\n', blockBytes)
  const first = page(buffer)
  expect(lengthOf(first.memory)).toBeLessThanOrEqual(2 * first.bytes)
  buffer.recycle()
  const second = page(buffer)
  expect([...second.memory].filter((piece) => !first.memory.has(piece)).length).toBeLessThanOrEqual(1)
})

it('has a head that is longer than a block', () => {
  const head = `COPY t (${'c'.repeat(9000)}) FROM stdin;\n`
  const buffer = new BlockBuffer(head, 1000)
  buffer.add(ROW, 0, ROW.length)
  expect(new TextDecoder().decode(buffer.take())).toBe(`${head}${new TextDecoder().decode(ROW)}\\.\n`)
})
