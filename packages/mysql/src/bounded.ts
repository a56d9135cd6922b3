import { TidemarkError } from '@tidemark/core/adapter'

export interface BoundOptions {
  readonly signal?: AbortSignal | undefined
  /** `undefined`: no limit. */
  readonly timeoutMs?: number | undefined
}

export interface Bounds extends BoundOptions {
  /** The error at the time limit. Default: `TIMEOUT`. */
  readonly late?: (() => TidemarkError) | undefined
}

/**
 * Settles with `work`, at the time limit (`TIMEOUT`) or at the abort (`ABORTED`), whichever is first. Work that is left
 * behind goes on unheard: the caller destroys what it runs on.
 */
export async function bounded<T>(work: PromiseLike<T>, { signal, timeoutMs, late = tooSlow }: Bounds): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  let onAbort = (): void => {}
  const limit = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(aborted())
    if (signal?.aborted === true) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    if (timeoutMs !== undefined) timer = setTimeout(() => reject(late()), timeoutMs)
  })
  try {
    return await Promise.race([work, limit])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

/** Gives what is left of a limit that several steps share; never 0, which some timers take for no limit. */
export function countdown(limitMs: number): () => number {
  const endMs = performance.now() + limitMs
  return () => Math.max(1, Math.ceil(endMs - performance.now()))
}

export function aborted(): TidemarkError {
  return new TidemarkError('ABORTED', 'The operation was ended by its signal.')
}

function tooSlow(): TidemarkError {
  return new TidemarkError('TIMEOUT', 'The MySQL server did not answer within the time limit.')
}
