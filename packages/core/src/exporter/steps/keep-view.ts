import type { HeldJob } from '../export-store.ts'
import type { ViewPool } from '../view-pool.ts'

/**
 * What is still to be copied must be there for the next slice, whichever process does it. Who is told to stop is not kept by it: the slice may be lost then,
 * and the copy is begun anew.
 */
export async function keepView(pool: ViewPool, { job, signal }: { readonly job: HeldJob; readonly signal: AbortSignal }): Promise<void> {
  const view = pool.opened(job.state)
  if (view?.keep === undefined || signal.aborted) return
  await view.keep({ signal })
  await pool.release(job.state.id)
}
