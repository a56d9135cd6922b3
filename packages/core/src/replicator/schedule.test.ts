import { describe, expect, it } from 'vitest'
import { nextRunDelayMs, parseSchedule, scheduleIssue } from './schedule.ts'

const request = { nowMs: Date.UTC(2024, 0, 1, 12, 0, 0), lastSyncAtMs: undefined, random: 0.5, jitter: 0.1 }
const HOUR_MS = 3_600_000

describe('the schedule', () => {
  it('runs at once what has never run or is overdue', () => {
    const hourly = parseSchedule(undefined, 60)
    expect(nextRunDelayMs(hourly, request)).toBe(0)
    expect(nextRunDelayMs(hourly, { ...request, lastSyncAtMs: request.nowMs - 5 * HOUR_MS })).toBe(0)
  })

  it('waits for the rest of the interval, spread by the jitter', () => {
    const hourly = parseSchedule(undefined, 60)
    const last = { ...request, lastSyncAtMs: request.nowMs }
    expect(nextRunDelayMs(hourly, last)).toBe(HOUR_MS)
    expect(nextRunDelayMs(hourly, { ...last, random: 0 })).toBe(HOUR_MS * 0.9)
    expect(nextRunDelayMs(hourly, { ...last, random: 0.999_999_999 })).toBeCloseTo(HOUR_MS * 1.1, -1)
  })

  it('follows a cron expression in UTC', () => {
    expect(nextRunDelayMs(parseSchedule('30 12 * * *', 60), request)).toBe(HOUR_MS / 2)
  })

  it('never runs a manual one by itself', () => {
    expect(nextRunDelayMs(parseSchedule('manual', 60), request)).toBeUndefined()
  })

  it.each([
    ['every hour', 'Is neither a cron expression nor "manual".'],
    ['0 0 30 2 *', 'Never comes due.'],
    ['*/5 * * * *', undefined],
    ['manual', undefined],
    [undefined, undefined],
  ])('says of %j: %s', (schedule, issue) => {
    expect(scheduleIssue(schedule)).toBe(issue)
  })
})
