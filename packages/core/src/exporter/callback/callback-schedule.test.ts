import { describe, expect, it } from 'vitest'
import { nextCallbackAtMs, retryAfterMs } from './callback-schedule.ts'

const next = (attempts: number, retryAfter?: number, random = 0): number | undefined => nextCallbackAtMs({ attempts }, { nowMs: 1_000, random, retryAfterMs: retryAfter })

describe('the schedule of a callback', () => {
  it('ends after ten tries, about three days later', () => {
    const waits = Array.from({ length: 9 }, (_, index) => (next(index + 1) ?? 0) - 1_000)
    expect(waits.every((wait, index) => index === 0 || wait > (waits[index - 1] ?? 0))).toBe(true)
    expect(waits.reduce((sum, wait) => sum + wait, 0) / 3_600_000).toBeCloseTo(75.6, 1)
    expect(next(10)).toBeUndefined()
  })

  it('waits for as long as the server asks, a day at most', () => {
    expect(next(1, 60_000)).toBe(61_000)
    expect(next(1, 1_000)).toBe(6_000)
    expect(next(1, 1e12)).toBe(86_401_000)
  })

  it('spreads tries', () => expect(next(1, undefined, 1)).toBe(6_500))

  it('reads both forms of Retry-After', () => {
    expect(retryAfterMs('120', 0)).toBe(120_000)
    expect(retryAfterMs('Fri, 31 Dec 1999 23:59:59 GMT', Date.UTC(1999, 11, 31, 23, 59, 0))).toBe(59_000)
    expect(retryAfterMs('Fri, 31 Dec 1999 23:59:59 GMT', Date.UTC(2020, 0))).toBe(0)
    expect(retryAfterMs('soon', 0)).toBeUndefined()
    expect(retryAfterMs(null, 0)).toBeUndefined()
  })
})
