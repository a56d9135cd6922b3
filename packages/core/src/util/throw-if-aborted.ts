import { TidemarkError } from '../errors/tidemark-error.ts'

/** Errors: `ABORTED`. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new TidemarkError('ABORTED', 'The operation was aborted.')
}
