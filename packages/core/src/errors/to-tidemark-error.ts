import { TidemarkError } from './tidemark-error.ts'

/** Wraps what is not ours as `INTERNAL`; a `TidemarkError` passes through. */
export function toTidemarkError(error: unknown): TidemarkError {
  if (error instanceof TidemarkError) return error
  // Thrown where closing failed as well: what was wrong first counts.
  if (isSuppressed(error)) return toTidemarkError(error.suppressed)
  const name = error instanceof Error ? error.name : typeof error
  // The message is kept in the cause only: it may quote a value.
  return new TidemarkError('INTERNAL', `An unexpected ${name} was thrown.`, { cause: error })
}

/** A `SuppressedError`, which not every runtime has a name for. */
function isSuppressed(error: unknown): error is { readonly suppressed: unknown } {
  return error instanceof Error && error.name === 'SuppressedError' && 'suppressed' in error
}
