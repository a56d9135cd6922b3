import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isVersion, NO_TIME, observe, requireNear, tick, timeIn, timeOf, toVersion, type HybridTime } from './hybrid-clock.ts'

/** Of several instances: one writes and tells another, each by a clock that is off and may go back. */
const histories = fc.record({
  skews: fc.array(fc.integer({ min: -100_000, max: 100_000 }), { minLength: 2, maxLength: 5 }),
  events: fc.array(fc.record({ from: fc.nat(), to: fc.nat(), ms: fc.integer({ min: -5, max: 50 }) }), { maxLength: 60 }),
})

describe('a hybrid logical clock', () => {
  it('is later than all that it has seen, and of no two writes alike, in ten thousand histories', () => {
    fc.assert(fc.property(histories, ({ skews, events }) => {
      const clocks: HybridTime[] = skews.map(() => NO_TIME)
      const versions = new Set<string>()
      let nowMs = 1_700_000_000_000
      for (const event of events) {
        nowMs += event.ms
        const from = event.from % skews.length
        const to = event.to % skews.length
        const seen = clocks[from] ?? NO_TIME
        const time = tick(seen, nowMs + (skews[from] ?? 0))
        expect(time > seen).toBe(true)
        const version = toVersion(time, `n${from}`)
        expect(versions.has(version) || !isVersion(version)).toBe(false)
        versions.add(version)
        clocks[from] = time
        clocks[to] = observe(clocks[to] ?? NO_TIME, timeIn(version))
        expect(tick(clocks[to] ?? NO_TIME, 0) > time).toBe(true)
      }
    }), { numRuns: 10_000 })
  })

  it('stays near the clock of the wall, and refuses one that is far ahead', () => {
    expect(tick(NO_TIME, 1_700_000_000_000)).toBe(timeOf(1_700_000_000_000))
    const ahead = timeOf(1_700_000_070_000)
    expect(() => requireNear(ahead, 1_700_000_000_000, 60_000)).toThrow(expect.objectContaining({ code: 'CLOCK_AHEAD' }))
    expect(() => requireNear(ahead, 1_700_000_000_000, 80_000)).not.toThrow()
  })

  it('goes on when its counter is full', () => {
    const full = `${timeOf(5).slice(0, 9)}zzzz`
    expect(tick(full, 1)).toBe(timeOf(6))
  })
})
