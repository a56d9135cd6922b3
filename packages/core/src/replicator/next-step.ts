import type { ReplicationState, RereadReason } from './replication-state.ts'

/** What a sync run does next. Each is bounded and ends at a durable commit. */
export type StepKind = 'begin' | 'load' | 'reread' | 'null-rows' | 'poll' | 'sweep' | 'done'

/** What this run has done already, beside what the state remembers. */
export interface RunProgress {
  readonly mode: 'incremental' | 'full'
  /** A full reload has been started by this run; the next one starts another. */
  readonly hasLoaded: boolean
  readonly hasPolled: boolean
  /** Whether rows with a NULL tracking value are wanted and not yet read by this run. */
  readonly wantsNullRows: boolean
  /** Whether this run may still spend time on reconciling. */
  readonly mayReconcile: boolean
  /** A re-read that waits for old writers has found them still there; it is left for the next run. */
  readonly rereadIsBlocked: boolean
}

/**
 * The one place that decides order. Fresh rows come before housekeeping, so a long reconcile never delays them;
 * deletes are swept after the re-read, so that a key found missing really is.
 */
export function nextStep(state: ReplicationState, run: RunProgress): StepKind {
  switch (state.phase) {
    case 'new':
      return 'begin'
    case 'loading':
      return 'load'
    case 'live':
      return nextLiveStep(state, run)
    default:
      state.phase satisfies never
      return 'done'
  }
}

function nextLiveStep(state: ReplicationState, run: RunProgress): StepKind {
  if (run.mode === 'full') return run.hasLoaded ? 'done' : 'begin'
  if (!run.hasPolled) return 'poll'
  if (run.wantsNullRows) return 'null-rows'
  if (state.reread !== undefined && mayReread(state.reread.reason, run)) return 'reread'
  if (state.sweep !== undefined && state.reread === undefined && run.mayReconcile) return 'sweep'
  return 'done'
}

function mayReread(reason: RereadReason, run: RunProgress): boolean {
  switch (reason) {
    case 'late-commits':
      return !run.rereadIsBlocked
    case 'backfill':
      return true
    case 'reconcile':
      return run.mayReconcile
    default:
      reason satisfies never
      return false
  }
}
