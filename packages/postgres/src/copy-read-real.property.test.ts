import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readReal } from './copy-read-real.ts'
import { CollectingSink } from './test/collecting-sink.ts'

/** Numbers of the size that measurements have: a printed double has 16 or 17 digits then, most of them behind the point. */
const double = fc.tuple(fc.double({ min: 0.1, max: 1, noNaN: true, maxExcluded: true }), fc.integer({ min: -6, max: 17 })).map(([fraction, power]) => fraction * 10 ** power)
/** Texts that no double prints as, so that many lie near the middle between two. */
const digits = fc.tuple(fc.stringMatching(/^[1-9]\d{14,17}$/), fc.integer({ min: 1, max: 15 })).map(([all, point]) => `${all.slice(0, point)}.${all.slice(point)}`)
const sign = fc.constantFrom('', '-')

function read(text: string): number {
  const sink = new CollectingSink()
  const bytes = new TextEncoder().encode(`${text}\n`)
  expect(readReal(bytes, 0, sink)).toBe(text.length)
  sink.endRow()
  return Number(sink.rows[0]?.[0])
}

it('reads a float as the double nearest to its digits', () => {
  fc.assert(fc.property(sign, fc.oneof(double.map(String), digits), (minus, text) => {
    expect(read(minus + text)).toBe(Number(minus + text))
  }), { numRuns: 20_000 })
})

it.each(['0', '-0', '0.0', '0.30000000000000004', '9007199254740993.0', '900719925474099.3', '1.2345678901234567e+20', '1.2345678901234567e-5', '0.00012345678901234567', '123456789012345678', '1.50000000000000000000'])('reads %s', (text) => {
  expect(read(text)).toBe(Number(text))
})
