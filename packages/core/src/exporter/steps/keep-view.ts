import type { ViewPool } from '../view-pool.ts'
import { whileHeld, type WhileHeldOptions } from '../while-held.ts'

/**
 * What is still to be copied must be there for the next slice, whichever process does it. Who is told to stop is not kept by it: the slice may be lost then,
 * and the copy is begun anew.
 */
export async function keepView(pool: ViewPool, options: WhileHeldOptions): Promise<void> {
  const { job, signal } = options
  const view = pool.opened(job.state)
  if (view?.keep === undefined || signal.aborted) return
  await whileHeld(options, async (held) => view.keep?.({ signal: held }))
  await pool.release(job.state.id)
}
