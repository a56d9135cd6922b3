import { expect, test } from 'vitest'
import { parseDuration } from './parse-duration.ts'

test.each([
  ['10s', 10_000], ['30m', 1_800_000], ['1h', 3_600_000], ['1.5h', 5_400_000], ['2d', 172_800_000], ['1s', 1_000], ['30d', 2_592_000_000],
])('%s is %d ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

test.each(['', '10', 's', '0s', '0.5s', '31d', '10 s', '-1m', '1e3s', '10ms', '1h30m', 'Infinityd', '9999999999s'])('%j is no duration', (text) => {
  expect(parseDuration(text)).toBeUndefined()
})
