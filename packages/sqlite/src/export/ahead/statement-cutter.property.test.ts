import fc from 'fast-check'
import { expect, it } from 'vitest'
import { StatementBuffer } from '../statement-buffer.ts'
import { StatementCutter } from './statement-cutter.ts'

/** Literals of rows, none with a NUL. */
const rows = fc.array(fc.string({ unit: fc.constantFrom('a', '\'', 'é', '漢', '😀', ')', '\n', '(', ','), maxLength: 24 }), { minLength: 1, maxLength: 40 })

it('gives the statements that are made row by row, up to the first row that fits in none', () => {
  fc.assert(fc.property(rows, fc.integer({ min: 12, max: 90 }), (literals, maxBytes) => {
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
  }), { numRuns: 3_000 })
})
