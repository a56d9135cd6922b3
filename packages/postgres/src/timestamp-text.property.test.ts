import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { epochMicroseconds, timestampOfEpoch, timestampText } from './timestamp-text.ts'

describe('timestamps', () => {
  it('come back from microseconds', () => {
    // From 4713 BC to 294276 AD, as far as 64 bits of microseconds since 1970 reach.
    fc.assert(fc.property(fc.bigInt({ min: -210_866_803_200_000_000n, max: 2n ** 63n - 1n }), (microseconds) => {
      expect(epochMicroseconds(timestampOfEpoch(microseconds).replace(/\.000000\+/, '+'))).toBe(microseconds)
    }), { numRuns: 5000 })
  })

  it('agree with Date within its range and precision', () => {
    fc.assert(fc.property(fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }), (date) => {
      const text = date.toISOString().replace('T', ' ').replace('Z', '+00')
      expect(epochMicroseconds(text)).toBe(BigInt(date.getTime()) * 1000n)
      expect(timestampText(text, true)).toBe(date.toISOString().replace('Z', '000Z'))
    }), { numRuns: 5000 })
  })

  it.each(['2024-01-02 03:04:05+09', '2024-01-02 03:04:05', '2024-01-02', '', '0044-03-15 12:00:00+00 BC', '12024-01-01 00:00:00+00', '2024-01-02 03:04:05.+00'])('refuses %j as UTC', (text) => {
    expect(timestampText(text, true)).toBeUndefined()
  })
})
