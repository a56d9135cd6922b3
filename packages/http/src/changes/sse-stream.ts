import type { ChangeBatch, LiveBatches } from '@tidemark/core'
import { problemOf } from '../answers/problem.ts'
import { within } from '../util/within.ts'
import { sseBatch, sseMessage } from './sse-text.ts'

export interface SseOptions {
  readonly batches: LiveBatches
  readonly heartbeatMs: number
  /** Fires, with the error, when the client may follow no longer; the batches end by it, too. */
  readonly revoked: AbortSignal
  /** Called when the client, or the feed, is gone. */
  readonly onEnd: () => void
}

const encoder = new TextEncoder()

/** A browser waits so long before it comes back, in milliseconds. */
const RETRY_MS = 2_000

/**
 * Batches as server-sent events. Reads no further than the client does: one that does not keep up falls behind in its log, and the
 * stream closes it by its budget. An error ends it with a message `problem`.
 */
export function sseStream({ batches, heartbeatMs, revoked, onEnd }: SseOptions): ReadableStream<Uint8Array> {
  let pending: Promise<IteratorResult<ChangeBatch>> | undefined
  const end = (): Promise<unknown> => {
    onEnd()
    return batches.return()
  }
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(encoder.encode(`retry: ${RETRY_MS}\n\n`)),
    pull: async (controller) => {
      try {
        pending ??= batches.next()
        const result = await within(pending, heartbeatMs)
        revoked.throwIfAborted()
        if (result === 'silence') return controller.enqueue(encoder.encode(': still here\n\n'))
        pending = undefined
        if (result.done !== true) return controller.enqueue(sseBatch(result.value))
      } catch (error) {
        controller.enqueue(encoder.encode(sseMessage({ event: 'problem', data: JSON.stringify(problemOf(error)), id: undefined })))
      }
      await end()
      controller.close()
    },
    cancel: async () => {
      pending?.catch(() => undefined)
      await end()
    },
  }, { highWaterMark: 1 })
}
