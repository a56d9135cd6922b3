import { Cron } from 'croner'

/** When a replication runs again. */
export type Schedule =
  | { readonly kind: 'interval'; readonly everyMs: number }
  | { readonly kind: 'cron'; readonly expression: string }
  | { readonly kind: 'manual' }

const MS_PER_MINUTE = 60_000

export function parseSchedule(schedule: string | undefined, intervalMinutes: number): Schedule {
  if (schedule === undefined) return { kind: 'interval', everyMs: intervalMinutes * MS_PER_MINUTE }
  return schedule === 'manual' ? { kind: 'manual' } : { kind: 'cron', expression: schedule }
}

/** What is wrong with a schedule, if anything. */
export function scheduleIssue(schedule: string | undefined): string | undefined {
  if (schedule === undefined || schedule === 'manual') return undefined
  try {
    // `mode` and `timezone` as in nextRunDelayMs: what is accepted here must mean the same there.
    return cron(schedule).nextRun() === null ? 'Never comes due.' : undefined
  } catch {
    return 'Is neither a cron expression nor "manual".'
  }
}

export interface NextRunRequest {
  readonly nowMs: number
  readonly lastSyncAtMs: number | undefined
  /** In [0, 1). */
  readonly random: number
  /** Share of an interval by which starts are spread. */
  readonly jitter: number
}

/** Milliseconds until the next run; `undefined` when none will come by itself. */
export function nextRunDelayMs(schedule: Schedule, request: NextRunRequest): number | undefined {
  const { nowMs, lastSyncAtMs } = request
  switch (schedule.kind) {
    case 'manual':
      return undefined
    case 'cron': {
      const next = cron(schedule.expression).nextRun(new Date(nowMs))
      return next === null ? undefined : next.getTime() - nowMs
    }
    case 'interval': {
      // Never synced: at once. Overdue, because the process was down: at once too.
      if (lastSyncAtMs === undefined) return 0
      return Math.max(0, lastSyncAtMs + spread(schedule.everyMs, request) - nowMs)
    }
    default:
      schedule satisfies never
      return undefined
  }
}

export interface RunAfterRequest extends Pick<NextRunRequest, 'random' | 'jitter'> {
  /** The run before, however it ended; `undefined` for the first one. */
  readonly afterMs: number | undefined
  readonly createdAtMs: number
}

/** When a run follows another, in milliseconds since 1970; also in the past, where nobody was there to begin it. `undefined` when none comes by itself. */
export function nextRunAtMs(schedule: Schedule, request: RunAfterRequest): number | undefined {
  const { afterMs, createdAtMs } = request
  switch (schedule.kind) {
    case 'manual':
      return undefined
    case 'cron':
      return cron(schedule.expression).nextRun(new Date(afterMs ?? createdAtMs))?.getTime()
    case 'interval':
      return afterMs === undefined ? createdAtMs : afterMs + spread(schedule.everyMs, request)
    default:
      schedule satisfies never
      return undefined
  }
}

function spread(everyMs: number, { random, jitter }: Pick<NextRunRequest, 'random' | 'jitter'>): number {
  return everyMs + everyMs * jitter * (random - 0.5) * 2
}

function cron(expression: string): Cron {
  return new Cron(expression, { timezone: 'UTC', paused: true })
}
