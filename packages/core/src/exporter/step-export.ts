import type { TidemarkError } from '../errors/tidemark-error.ts'
import { toTidemarkError } from '../errors/to-tidemark-error.ts'
import { backoffMs } from '../util/backoff.ts'
import { isCallbackDue } from './callback/callback-schedule.ts'
import { deliverCallback } from './callback/deliver-callback.ts'
import type { ExportContext } from './export-context.ts'
import type { ExportState } from './export-state.ts'
import type { HeldJob } from './export-store.ts'
import { isEnded } from './is-ended.ts'
import { beginCopy } from './steps/begin-copy.ts'
import { cleanUp, restartCopy } from './steps/clean-up.ts'
import { copySlice, type SliceBudget } from './steps/copy-slice.ts'
import { keepView } from './steps/keep-view.ts'
import { sealDump } from './steps/seal-dump.ts'
import type { ViewPool } from './view-pool.ts'

export interface StepContext {
  readonly context: ExportContext
  readonly pool: ViewPool
  readonly job: HeldJob
  readonly budget: SliceBudget
  readonly signal: AbortSignal
}

/** Copies begun, before a snapshot that is lost again or a schema that changed again fails the export. */
const MAX_COPIES = 5

/** Begin again with another view. */
const RESTARTS: ReadonlySet<string> = new Set(['SNAPSHOT_LOST', 'SCHEMA_CHANGED'])

/** The job is somebody else's, or stopped: it says nothing about the export. */
const NOT_OURS: ReadonlySet<string> = new Set(['LEASE_LOST', 'LEASE_HELD', 'ABORTED'])

/** Does the next slice. A failure is kept in the state with the time of the next try; only what is not the export's own is thrown. */
export async function stepExport(step: StepContext): Promise<void> {
  const { context, pool, job } = step
  const before = job.state.status
  try {
    await advance(step).catch((error: unknown) => fail(step, toTidemarkError(error)))
  } finally {
    await pool.endSlice(job.state.id)
  }
  const { id, status, error } = job.state
  if (status !== before) context.emitter.emit('export:status', { id, status, error: status === 'failed' ? error : undefined })
}

async function advance({ context, pool, job, budget, signal }: StepContext): Promise<void> {
  const { state } = job
  if (state.isCleanupDue) return cleanUp(context, pool, { job, signal })
  if (isEnded(state)) return isCallbackDue(state, context.runtime.now()) ? deliverCallback(context, { job, signal }) : undefined
  if (state.view === undefined || state.plan === undefined) await beginCopy(context, pool, { job, signal })
  await copySlice(context, pool, { job, budget, signal })
  if (job.state.streams.every((stream) => stream.phase === 'done')) await sealDump(context, { job, signal })
  else await endSlice({ context, pool, job, budget, signal })
  // Small exports end in the step that began them.
  if (job.state.isCleanupDue) await cleanUp(context, pool, { job, signal })
}

async function endSlice({ context, pool, job, signal }: StepContext): Promise<void> {
  await keepView(pool, { job, runtime: context.runtime, signal })
  await job.update((current) => ({ ...current, steps: current.steps + 1, failures: 0, nextAtMs: context.runtime.now() + current.spec.pauseMs }))
}

async function fail(step: StepContext, error: TidemarkError): Promise<void> {
  const { context, pool, job, signal } = step
  if (NOT_OURS.has(error.code) || signal.aborted) throw error
  if (RESTARTS.has(error.code) && !isEnded(job.state) && job.state.attempt < MAX_COPIES) return restartCopy(context, pool, { job, signal, cause: error })
  // What the connection has seen may be why.
  if (error.code.startsWith('SOURCE_')) await pool.release(job.state.id)
  const failures = job.state.failures + 1
  const isFinal = !error.retryable || failures >= context.retry.attempts
  const delayMs = backoffMs(failures, context.runtime.random(), context.retry)
  if (!isFinal) await keepCopy(step)
  if (!isFinal) context.emitter.emit('export:retry', { id: job.state.id, error: error.toJSON(), attempt: failures, delayMs })
  await job.update((state) => ({ ...state, ...(isFinal ? finalFailure(state) : {}), failures, error: isEnded(state) ? state.error : error.toJSON(), nextAtMs: context.runtime.now() + (isFinal ? 0 : delayMs) }))
}

/** So that what is copied already need not be copied again. What failed is told either way; without its view the copy is begun anew. */
async function keepCopy({ context, pool, job, signal }: StepContext): Promise<void> {
  if (job.state.streams.every((stream) => stream.phase === 'done')) return
  await keepView(pool, { job, runtime: context.runtime, signal }).catch(() => undefined)
}

/** Cleaning up that can't be done does not undo a dump that is complete; `sweep` tries again. */
function finalFailure(state: ExportState): Partial<ExportState> {
  return isEnded(state) ? { isCleanupDue: false, hasRemains: true } : { status: 'failed', isCleanupDue: true }
}
