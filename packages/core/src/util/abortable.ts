import { TidemarkError } from '../errors/tidemark-error.ts'

/** `work`, or `ABORTED` as soon as the signal fires. The work itself goes on: who started it ends it. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new TidemarkError('ABORTED', 'The operation was aborted.'))
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
