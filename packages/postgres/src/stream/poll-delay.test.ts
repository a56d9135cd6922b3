import { expect, test } from 'vitest'
import { nextPollDelayMs } from './poll-delay.ts'

const DELAYS = { pollIntervalMs: 1_000, maxPollIntervalMs: 30_000 }

test('each wait is half as long again while nothing comes, up to the longest, and the shortest once something has', () => {
  const waits = [DELAYS.pollIntervalMs]
  for (let look = 0; look < 11; look += 1) waits.push(nextPollDelayMs(waits.at(-1) ?? 0, false, DELAYS))
  expect(waits.map(Math.round)).toEqual([1000, 1500, 2250, 3375, 5063, 7594, 11391, 17086, 25629, 30000, 30000, 30000])
  expect(nextPollDelayMs(30_000, true, DELAYS)).toBe(1_000)
  // Where both are the same there is no growth.
  expect(nextPollDelayMs(5, false, { pollIntervalMs: 5, maxPollIntervalMs: 5 })).toBe(5)
})
