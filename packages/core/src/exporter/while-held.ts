import { TidemarkError } from '../errors/tidemark-error.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { HeldJob } from './export-store.ts'

export interface WhileHeldOptions {
  readonly job: HeldJob
  readonly runtime: Runtime
  readonly signal: AbortSignal
}

/**
 * Keeps the job's lease during work that saves nothing, such as copying a database, and aborts the work once another worker has the job.
 * Errors: `LEASE_LOST`; those of the work.
 */
export async function whileHeld<T>({ job, runtime, signal }: WhileHeldOptions, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const over = new AbortController()
  const lost = new AbortController()
  let loss: unknown
  const renewing = renew(job, runtime, over.signal).catch((error: unknown) => {
    loss = error
    lost.abort()
  })
  try {
    return await work(AbortSignal.any([signal, lost.signal]))
  } catch (error) {
    throw lost.signal.aborted ? loss : error
  } finally {
    over.abort()
    await renewing
  }
}

/** A third of the time leaves two more tries to a store that fails for a moment. Errors: `LEASE_LOST`. */
async function renew(job: HeldJob, runtime: Runtime, over: AbortSignal): Promise<void> {
  for (;;) {
    await runtime.sleep(job.leaseTtlMs / 3, over).catch(() => undefined)
    if (over.aborted) return
    await job.update((state) => state).catch((error: unknown) => {
      if (error instanceof TidemarkError && error.code === 'LEASE_LOST') throw error
    })
  }
}
