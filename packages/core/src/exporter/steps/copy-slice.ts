import pLimit from 'p-limit'
import { PageMeter } from '../chunks/page-meter.ts'
import { copyStream, type SliceLimits } from '../copy-stream.ts'
import type { ExportContext } from '../export-context.ts'
import type { HeldJob } from '../export-store.ts'
import { requireSamePlan } from '../same-plan.ts'
import type { ViewPool } from '../view-pool.ts'

export interface SliceBudget {
  readonly ms: number
  readonly bytes: number
}

/** One slice of copying: streams one after the other, or several side by side, until all are done or the budget is used up. */
export async function copySlice(context: ExportContext, pool: ViewPool, options: { readonly job: HeldJob; readonly budget: SliceBudget; readonly signal: AbortSignal }): Promise<void> {
  const { job, budget, signal } = options
  const open = job.state.streams.flatMap((stream, index) => (stream.phase === 'done' ? [] : [index]))
  // Only sealing failed: whatever the view has become, it is not needed any more.
  if (open.length === 0 && job.state.streams.length > 0) return
  const view = await pool.view(job.state, signal)
  requireSamePlan(job.state, view.plan)
  const limits = sliceLimits(context, budget, signal)
  const meters: PageMeter[] = []
  const limit = pLimit(job.state.spec.concurrency)
  const outcomes = await Promise.allSettled(open.map((index) => limit(async () => {
    if (limits.isOver(0)) return
    const meter = new PageMeter(context.runtime)
    meters.push(meter)
    await copyStream({ context, job, index, view, meter, limits })
  })))
  const slowestPageMs = Math.max(job.state.slowestPageMs, ...meters.map((meter) => meter.slowestMs))
  const failure = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failure !== undefined) throw failure.reason
  await job.update((state) => ({ ...state, slowestPageMs }))
}

function sliceLimits({ runtime }: ExportContext, budget: SliceBudget, signal: AbortSignal): SliceLimits {
  const endMs = runtime.now() + budget.ms
  let bytes = 0
  return {
    signal,
    isOver: (more) => {
      bytes += more
      return signal.aborted || bytes >= budget.bytes || runtime.now() >= endMs
    },
  }
}
