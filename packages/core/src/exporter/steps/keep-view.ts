import type { HeldJob } from '../export-store.ts'
import type { ViewPool } from '../view-pool.ts'

/** What is still to be copied must be there for the next slice, whichever process does it. */
export async function keepView(pool: ViewPool, { job, signal }: { readonly job: HeldJob; readonly signal: AbortSignal }): Promise<void> {
  const view = await pool.view(job.state, signal)
  if (view.keep === undefined) return
  await view.keep({ signal })
  await pool.release(job.state.id)
}
