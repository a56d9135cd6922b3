import type { TidemarkError } from '../../errors/tidemark-error.ts'
import type { ExportContext } from '../export-context.ts'
import type { ExportState } from '../export-state.ts'
import type { HeldJob } from '../export-store.ts'
import { extensionOf, objectKey, objectPath } from '../object-path.ts'
import type { ViewPool } from '../view-pool.ts'

export interface CleanUpOptions {
  readonly job: HeldJob
  readonly signal: AbortSignal
}

/** What an ended export left behind: the view, and, where it did not complete, everything in the storage. */
export async function cleanUp(context: ExportContext, pool: ViewPool, { job, signal }: CleanUpOptions): Promise<void> {
  await dropView(pool, job.state, signal)
  if (job.state.status !== 'completed') await dropObjects(context, job.state, signal)
  await pool.release(job.state.id)
  await job.update((state) => ({ ...state, isCleanupDue: false, failures: 0, nextAtMs: 0 }))
}

/** Gives the copy up and has it begun anew with another view. Nothing of the first is left. */
export async function restartCopy(context: ExportContext, pool: ViewPool, options: CleanUpOptions & { readonly cause: TidemarkError }): Promise<void> {
  const { job, signal, cause } = options
  await dropView(pool, job.state, signal)
  await pool.release(job.state.id)
  await dropObjects(context, job.state, signal)
  await job.update((state) => ({ ...state, attempt: state.attempt + 1, view: undefined, plan: undefined, streams: [], failures: 0, error: cause.toJSON() }))
}

async function dropView(pool: ViewPool, { id, view, attempt, spec }: ExportState, signal: AbortSignal): Promise<void> {
  const connection = await pool.connection(id, signal)
  // Without a reference it may have been made and not noted.
  await connection.dropView(view ?? { viewId: `${id}.${attempt}`, consistency: spec.consistency }, { signal })
}

export async function dropObjects(context: ExportContext, state: ExportState, signal: AbortSignal): Promise<void> {
  const { storage } = context
  for (const [index, stream] of state.streams.entries()) {
    if (stream.uploadId === undefined) continue
    const volume = stream.volumes.length - (stream.phase === 'completing' ? 1 : 0)
    const extension = extensionOf(context, state.spec, stream)
    await storage.abortUpload({ key: objectKey(state.id, objectPath(state, index, { volume, extension })), uploadId: stream.uploadId }, { signal })
  }
  const prefix = objectKey(state.id, '')
  for (let after: string | undefined, isMore = true; isMore;) {
    const page = await storage.list({ prefix, after, signal })
    for (const { key } of page.objects) await storage.delete(key, { signal })
    after = page.next
    isMore = after !== undefined
  }
}
