import { TidemarkError } from './tidemark-error.ts'

/** Wraps what is not ours as `INTERNAL`; a `TidemarkError` passes through. */
export function toTidemarkError(error: unknown): TidemarkError {
  if (error instanceof TidemarkError) return error
  const name = error instanceof Error ? error.name : typeof error
  // The message is kept in the cause only: it may quote a value.
  return new TidemarkError('INTERNAL', `An unexpected ${name} was thrown.`, { cause: error })
}
