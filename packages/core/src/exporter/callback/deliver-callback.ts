import { TidemarkError } from '../../errors/tidemark-error.ts'
import type { ExportContext } from '../export-context.ts'
import type { CallbackState, ExportState } from '../export-state.ts'
import { mainKey } from '../export-status.ts'
import type { HeldJob } from '../export-store.ts'
import { tableRows } from '../table-rows.ts'
import type { CallbackFetch, CallbackResponse } from './callback-options.ts'
import { nextCallbackAtMs, retryAfterMs } from './callback-schedule.ts'
import { checkCallbackUrl } from './check-callback-url.ts'
import { signCallback } from './sign-callback.ts'

const DEFAULT_TIMEOUT_MS = 15_000

/** Says that the endpoint wants no more (Standard Webhooks). */
const GONE = 410

/** One try of the callback. Whatever becomes of it, the export stays what it is. */
export async function deliverCallback(context: ExportContext, { job, signal }: { readonly job: HeldJob; readonly signal: AbortSignal }): Promise<void> {
  const { callback } = job.state
  if (callback === undefined) return
  const attempts = callback.attempts + 1
  const answer = await attempt(context, job.state, callback, signal)
  const next = nextState(context, { ...callback, attempts }, answer)
  await job.update((state) => ({ ...state, callback: next }))
  const outcome = next.outcome === 'pending' ? 'retry' : next.outcome
  context.emitter.emit('export:callback', { id: job.state.id, outcome, attempts, error: next.error })
}

type Answer = { readonly error: TidemarkError } | { readonly status: number; readonly retryAfter: string | null }

async function attempt(context: ExportContext, state: ExportState, callback: CallbackState, signal: AbortSignal): Promise<Answer> {
  const { callbacks } = context
  try {
    if (callbacks === undefined) throw new TidemarkError('CALLBACK_REFUSED', 'This exporter makes no callbacks.')
    // Again at each try: what was allowed when the export began may not be any more.
    checkCallbackUrl(callback.url, callbacks.allowedOrigins)
    const body = bodyOf(state)
    const secret = await context.callbackSecret(state).reveal()
    const headers = await signCallback({ id: callback.messageId, timestamp: Math.floor(context.runtime.now() / 1_000), body }, secret)
    const timeout = AbortSignal.any([signal, AbortSignal.timeout(callbacks.timeoutMs ?? DEFAULT_TIMEOUT_MS)])
    const response = await fetchOf(callbacks.fetch)(callback.url, { method: 'POST', headers, body, redirect: 'manual', signal: timeout })
    // What it says is nobody's business, and may be without end.
    await response.body?.cancel().catch(() => undefined)
    return { status: response.status, retryAfter: response.headers.get('retry-after') }
  } catch (error) {
    signal.throwIfAborted()
    return { error: error instanceof TidemarkError ? error : new TidemarkError('CALLBACK_FAILED', 'The callback got no answer.', { cause: error }) }
  }
}

function nextState(context: ExportContext, callback: CallbackState, answer: Answer): CallbackState {
  if ('status' in answer && answer.status >= 200 && answer.status < 300) return { ...callback, outcome: 'delivered', nextAtMs: undefined, error: undefined }
  const nowMs = context.runtime.now()
  const error = 'error' in answer ? answer.error : new TidemarkError('CALLBACK_FAILED', 'The callback was not accepted.', { detail: String(answer.status) })
  const wanted = 'status' in answer ? retryAfterMs(answer.retryAfter, nowMs) : undefined
  const isOver = 'status' in answer ? answer.status === GONE : !answer.error.retryable
  const nextAtMs = isOver ? undefined : nextCallbackAtMs(callback, { nowMs, random: context.runtime.random(), retryAfterMs: wanted })
  return { ...callback, nextAtMs, outcome: nextAtMs === undefined ? 'failed' : 'pending', error: error.toJSON() }
}

/** `r2Key` is what the prior designs' receivers read: the dump itself, in whatever storage; `key` is its manifest. */
function bodyOf(state: ExportState): string {
  const { id, status, completedAtMs, updatedAtMs, error } = state
  const rows = Object.values(tableRows(state)).reduce((sum, count) => sum + count, 0)
  const outcome = status === 'completed'
    ? { totalRowsExported: rows, completedAt: new Date(completedAtMs ?? updatedAtMs).toISOString(), key: `${id}/manifest.json`, r2Key: mainKey(state) }
    : { error, failedAt: new Date(updatedAtMs).toISOString() }
  return JSON.stringify({ type: `export.${status}`, exportId: id, status, ...outcome })
}

/** The host's own where none is given: core has no type for it. */
function fetchOf(given: CallbackFetch | undefined): CallbackFetch {
  if (given !== undefined) return given
  const host = globalThis as unknown as { readonly fetch: (url: string, init: object) => Promise<CallbackResponse> }
  return (url, init) => host.fetch(url, init)
}
