import { describe, expect, it } from 'vitest'
import { hashUnit } from '../util/hash-unit.ts'
import { loggedFailures } from './failures.ts'
import { nextDueAtMs, type NextDueRequest } from './next-due.ts'
import { parseSchedule } from './schedule.ts'

const MINUTE_MS = 60_000
const NOON_MS = Date.UTC(2024, 0, 1, 12)
const request: NextDueRequest = {
  schedule: parseSchedule(undefined, 60), createdAtMs: NOON_MS, lastSyncAtMs: undefined, failures: undefined,
  retry: { attempts: 3, baseMs: 1_000, maxMs: 8_000 }, random: 0.5, jitter: 0.1,
}
const failed = (count: number, isRetryable = true): NextDueRequest['failures'] => ({ count, lastAtMs: NOON_MS, isRetryable })

describe('when a replication is due, by what is remembered', () => {
  it('is overdue since it was made known, until it has run', () => {
    expect(nextDueAtMs(request)).toBe(NOON_MS)
    expect(nextDueAtMs({ ...request, lastSyncAtMs: NOON_MS })).toBe(NOON_MS + 60 * MINUTE_MS)
    expect(nextDueAtMs({ ...request, lastSyncAtMs: NOON_MS, random: 0 })).toBe(NOON_MS + 54 * MINUTE_MS)
  })

  it('takes a cron expression from the run before, so that a time nobody was there for is made up for', () => {
    const nightly = { ...request, schedule: parseSchedule('0 3 * * *', 60) }
    expect(nextDueAtMs(nightly)).toBe(Date.UTC(2024, 0, 2, 3))
    expect(nextDueAtMs({ ...nightly, lastSyncAtMs: Date.UTC(2024, 0, 2, 3, 0, 7) })).toBe(Date.UTC(2024, 0, 3, 3))
  })

  it('tries again with a growing delay, as often as it may, and then by the schedule', () => {
    const delays = [1, 2, 3, 4].map((count) => (nextDueAtMs({ ...request, failures: failed(count) }) ?? 0) - NOON_MS)
    expect(delays).toEqual([1_000, 2_000, 60 * MINUTE_MS, 1_000])
  })

  it('leaves to the schedule what trying again does not mend', () => {
    expect(nextDueAtMs({ ...request, failures: failed(1, false) })).toBe(NOON_MS + 60 * MINUTE_MS)
  })

  it('waits for no retry that is later than the schedule, and never runs what is called by hand', () => {
    const often = { ...request, schedule: parseSchedule(undefined, 0.01), jitter: 0 }
    expect(nextDueAtMs({ ...often, failures: failed(2) })).toBe(NOON_MS + 600)
    expect(nextDueAtMs({ ...request, schedule: parseSchedule('manual', 60), failures: failed(1) })).toBeUndefined()
  })
})

describe('failures by the log', () => {
  const run = (status: 'success' | 'error', atMs: number, errorCode?: string) => ({ name: 'a', status, rows: 0, errorCode, errorMessage: undefined, durationMs: 0, atMs })

  it('are those since a run that did not fail', () => {
    expect(loggedFailures([])).toBeUndefined()
    expect(loggedFailures([run('success', 3), run('error', 2, 'SOURCE_BUSY')])).toBeUndefined()
    expect(loggedFailures([run('error', 4, 'SOURCE_UNREACHABLE'), run('error', 3, 'TABLE_UNKNOWN'), run('success', 2)])).toEqual({ count: 2, lastAtMs: 4, isRetryable: true })
    expect(loggedFailures([run('error', 4, 'TABLE_UNKNOWN')])).toMatchObject({ isRetryable: false })
    expect(loggedFailures([run('error', 4, 'OF_A_NEWER_RELEASE')])).toMatchObject({ isRetryable: true })
  })
})

describe('the number of a text', () => {
  it('is the same each time, and spread over all of its range', () => {
    const numbers = Array.from({ length: 1_000 }, (_, index) => hashUnit(`replication ${index}`))
    expect(hashUnit('replication 7')).toBe(numbers[7])
    const tenths = Array.from({ length: 10 }, (_, tenth) => numbers.filter((number) => Math.floor(number * 10) === tenth).length)
    for (const count of tenths) expect(Math.abs(count - 100)).toBeLessThan(50)
  })
})
