import { TidemarkError } from '../errors/tidemark-error.ts'
import type { ExportContext } from './export-context.ts'
import type { ExportState } from './export-state.ts'
import type { UploadRef } from '../storage/object-storage.ts'
import { isEnded } from './is-ended.ts'
import { dropObjects } from './steps/clean-up.ts'

const HOUR_MS = 3_600_000

export interface SweepOptions {
  /** Uploads that no export counts as its own are left alone for this long, in milliseconds: they may just have been created. Default one hour. */
  readonly uploadAgeMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface SweepReport {
  /** Exports whose time was up: objects and job are gone. */
  readonly exportsDeleted: number
  /** Ended exports that had left something behind, and have it removed with their next step. */
  readonly cleanupsRenewed: number
  /** Uploads that a kill had left without anybody who knew of them. */
  readonly uploadsAborted: number
  /** What could not be swept; the next sweep tries again. */
  readonly failures: readonly TidemarkError[]
}

const ID = /^export_[\da-f]{32}$/

/**
 * Removes what nobody needs. Uploads are only touched where their key begins with the id of a job of this state store: another exporter may keep
 * its dumps in the same place.
 */
export async function sweepExports(context: ExportContext, { uploadAgeMs = HOUR_MS, signal = new AbortController().signal }: SweepOptions): Promise<SweepReport> {
  const { store, runtime } = context
  const failures: TidemarkError[] = []
  const counts = { exportsDeleted: 0, cleanupsRenewed: 0, uploadsAborted: 0 }
  const states = new Map<string, ExportState>()
  for (const id of await store.list()) {
    await attempt(failures, async () => {
      const { state, version } = await store.read(id)
      states.set(id, state)
      if (isExpired(state, runtime.now())) {
        await deleteExport(context, state, signal)
        counts.exportsDeleted += 1
      } else if (isEnded(state) && state.hasRemains) {
        await store.replace({ state: { ...state, isCleanupDue: true, hasRemains: false, failures: 0, nextAtMs: 0 }, version })
        counts.cleanupsRenewed += 1
      }
    })
  }
  const bornBefore = runtime.now() - uploadAgeMs
  for (const upload of await orphans(context, { states, bornBefore, signal })) {
    await attempt(failures, async () => {
      await context.storage.abortUpload(upload, { signal })
      counts.uploadsAborted += 1
    })
  }
  return { ...counts, failures }
}

/** Objects first: a kill in between leaves the job, which says what is still to go. */
export async function deleteExport(context: ExportContext, state: ExportState, signal: AbortSignal): Promise<void> {
  await dropObjects(context, state, signal)
  if (state.requestKey !== undefined) await context.requestKeys.forget(state.requestKey, state.id)
  await context.store.delete(state.id)
}

function isExpired(state: ExportState, nowMs: number): boolean {
  const { ttlMs } = state.spec
  return ttlMs !== undefined && isEnded(state) && !state.isCleanupDue && (state.completedAtMs ?? state.updatedAtMs) + ttlMs <= nowMs
}

async function orphans({ storage }: ExportContext, options: { readonly states: ReadonlyMap<string, ExportState>; readonly bornBefore: number; readonly signal: AbortSignal }): Promise<readonly UploadRef[]> {
  if (storage.listUploads === undefined) return []
  const { states, bornBefore, signal } = options
  const uploads = await storage.listUploads('export_', { signal })
  return uploads.filter(({ key, uploadId, createdAtMs }) => {
    const id = key.slice(0, key.indexOf('/'))
    const state = ID.test(id) ? states.get(id) : undefined
    return state !== undefined && createdAtMs < bornBefore && !state.streams.some((stream) => stream.uploadId === uploadId)
  })
}

async function attempt(failures: TidemarkError[], work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof TidemarkError) || error.code === 'ABORTED') throw error
    failures.push(error)
  }
}
