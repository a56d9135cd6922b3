import { TidemarkError } from '../errors/tidemark-error.ts'

/** Errors: `ABORTED`. */
export function checkAbort(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new TidemarkError('ABORTED', 'The call was aborted.')
}

/**
 * Waits for `work` no longer than until the signal fires. The query itself may run on at the server: a generic dialect
 * can't be asked to cancel it, and its connection is busy until then.
 */
export async function orAbort<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  const settled = new AbortController()
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new TidemarkError('ABORTED', 'The call was aborted.')), { once: true, signal: settled.signal })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    settled.abort()
  }
}
