import { TidemarkError } from '@tidemark/core/adapter'

/** Our own error, not the signal's reason: that may be anything. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new TidemarkError('ABORTED', 'The operation was aborted before it began.')
}
