import { backoffMs } from '../util/backoff.ts'
import type { RetryOptions } from '../engine/run-steps.ts'
import type { Failures } from './failures.ts'
import { nextRunAtMs, type Schedule } from './schedule.ts'

export interface NextDueRequest {
  readonly schedule: Schedule
  /** When the replication was made known: a cron expression counts from there until it has run. */
  readonly createdAtMs: number
  readonly lastSyncAtMs: number | undefined
  /** Since then, if any. */
  readonly failures: Failures | undefined
  readonly retry: RetryOptions
  /** In [0, 1). The same for the same question, or the answer moves. */
  readonly random: number
  readonly jitter: number
}

/**
 * When a replication is due, from what is remembered of it: for who is called now and then, and may have been another process before. In the past where
 * it is overdue; `undefined` where it never is. A run that failed is tried again with a growing delay, as often as `retry` says; then, and where
 * trying again is of no use, when the schedule says.
 */
export function nextDueAtMs(request: NextDueRequest): number | undefined {
  const { failures, retry, random } = request
  const scheduledAtMs = wholeMs(nextRunAtMs(request.schedule, { ...request, afterMs: newest(request.lastSyncAtMs, failures?.lastAtMs) }))
  if (failures === undefined || !failures.isRetryable || failures.count % retry.attempts === 0) return scheduledAtMs
  const retryAtMs = wholeMs(failures.lastAtMs + backoffMs(failures.count % retry.attempts, random, retry))
  // What is called by hand only is not tried again by itself either.
  return scheduledAtMs === undefined ? undefined : Math.min(scheduledAtMs, retryAtMs)
}

/** What is stored has no fractions: without them the next call finds due what this one said would be. */
function wholeMs<T extends number | undefined>(ms: T): T | number {
  return ms === undefined ? ms : Math.ceil(ms)
}

function newest(left: number | undefined, right: number | undefined): number | undefined {
  return left === undefined || right === undefined ? left ?? right : Math.max(left, right)
}
