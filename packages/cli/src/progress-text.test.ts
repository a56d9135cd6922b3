import { expect, test } from 'vitest'
import { barText } from './bar-text.ts'
import { formatCount, formatDuration, formatRows } from './format.ts'
import { RateMeter } from './rate-meter.ts'

const progress = { name: 'users', phase: 'load', rows: 500_000, estimatedRows: 1_000_000, rowsPerSecond: 250_000, etaMs: 2_000, durationMs: 2_000 } as const

test('counts and times', () => {
  expect([0, 999, 1_000, 1_234_567].map(formatCount)).toEqual(['0', '999', '1,000', '1,234,567'])
  expect([1, 2].map(formatRows)).toEqual(['1 row', '2 rows'])
  expect([12, 3_240, 245_000, 7_380_000].map(formatDuration)).toEqual(['12 ms', '3.2 s', '4m 05s', '2h 03m'])
})

test('the rate is that of the last seconds and leaves out what an earlier run loaded', () => {
  const meter = new RateMeter()
  meter.observe(1_000, 5_000_000)
  expect(meter.rowsPerSecond).toBeUndefined()
  meter.observe(2_000, 5_100_000)
  expect(meter.rowsPerSecond).toBe(100_000)
  for (let second = 3; second <= 30; second += 1) meter.observe(second * 1_000, 5_100_000 + (second - 2) * 1_000)
  expect(meter.rowsPerSecond).toBe(1_000)
})

test('a bar shows its share, the rate and the rest; never more than 99 %', () => {
  expect(barText('users', progress, false)).toBe('users  load  ████████████░░░░░░░░░░░░  50 %  500,000 rows  250,000 rows/s  ETA 2.0 s')
  expect(barText('users', { ...progress, rows: 1_100_000, etaMs: undefined }, false)).toContain('  99 %')
  expect(barText('users', { ...progress, phase: 'poll', rows: 3, estimatedRows: undefined, rowsPerSecond: undefined, etaMs: undefined }, false)).toBe('users  poll  3 rows')
  expect(barText('users', undefined, false)).toBe('users  connecting')
})

test('colour only where it is wanted', () => {
  expect([barText('users', progress, true), barText('users', progress, false)].map((text) => text.includes('\u001B['))).toEqual([true, false])
})
