import fc from 'fast-check'
import { expect, it } from 'vitest'
import { StatementBuffer } from '../statement-buffer.ts'
import { StatementCutter } from './statement-cutter.ts'

/** Literals of rows, none with a NUL. */
const rows = fc.array(fc.string({ unit: fc.constantFrom('a', '\'', 'é', '漢', '😀', ')', '\n', '(', ','), maxLength: 24 }), { minLength: 1, maxLength: 40 })

it('gives the statements that are made row by row, up to the first row that fits in none', () => {
  fc.assert(fc.property(rows, fc.integer({ min: 1, max: 90 }), (literals, maxBytes) => {
    const buffer = new StatementBuffer('INSERT\n', maxBytes)
    const expected: { readonly rows: number; readonly text: string }[] = []
    const take = (): void => {
      if (buffer.rows > 0) expected.push({ rows: buffer.rows, text: new TextDecoder().decode(buffer.take()) })
    }
    for (const row of literals) {
      if (buffer.add(row)) continue
      take()
      if (!buffer.add(row)) break
    }
    take()
    const cut = new StatementCutter('INSERT\n(', maxBytes).cut(literals.join(')\0\n('))
    expect(cut.map(({ rows: count, bytes }) => ({ rows: count, text: new TextDecoder().decode(bytes) }))).toEqual(expected)
    for (const { bytes } of cut) expect(bytes.length).toBeLessThanOrEqual(maxBytes)
    expect(cut[0]?.bytes.buffer.byteLength ?? 0).toBe(cut.reduce((sum, { bytes }) => sum + bytes.length, 0))
  }), { numRuns: 3_000 })
})

it('makes statements of wide rows with a prefix that leaves hardly any room', () => {
  const prefix = `INSERT INTO t(${'c'.repeat(100_000)}) VALUES\n(`
  const cut = (room: number, row: string): readonly number[] => new StatementCutter(prefix, prefix.length + 3 + room).cut(Array.from({ length: 64 }, () => row).join(')\0\n(')).map(({ rows: count }) => count)
  expect(cut(1, '1')).toEqual(Array.from({ length: 64 }, () => 1))
  for (const room of [1, 0, -1, -100_000]) expect(cut(room, 'x'.repeat(16_384))).toEqual([])
})
