import { TidemarkError } from '@tidemark/core/adapter'
import type { AbortOptions } from '@tidemark/core/adapter'

export interface BoundOptions extends AbortOptions {
  readonly timeoutMs: number
}

/**
 * Settles with `work`, at the time limit (`TIMEOUT`) or at the abort (`ABORTED`), whichever is first. Work that is left
 * behind goes on unheard, and its rejection is never unhandled: the caller destroys what it runs on.
 */
export function bounded<T>(work: PromiseLike<T>, options: BoundOptions): Promise<T> {
  return new Promise((resolve, reject) => {
    const done = (settle: () => void): void => {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', onAbort)
      settle()
    }
    const onAbort = (): void => done(() => reject(aborted()))
    const timer = setTimeout(() => done(() => reject(timedOut(options.timeoutMs))), options.timeoutMs)
    options.signal?.addEventListener('abort', onAbort, { once: true })
    if (options.signal?.aborted === true) onAbort()
    work.then((value) => done(() => resolve(value)), (error: unknown) => done(() => reject(error)))
  })
}

export function aborted(): TidemarkError {
  return new TidemarkError('ABORTED', 'The operation on the source was aborted.')
}

function timedOut(timeoutMs: number): TidemarkError {
  return new TidemarkError('TIMEOUT', `The source did not answer within ${timeoutMs} ms.`)
}
