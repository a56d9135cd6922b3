import { TidemarkError } from '@tidemark/core/adapter'

/**
 * What a sender is told of a table that could not be written to: the same error, with the way out of a table that a peer writes, which is
 * another than that of a copy of one's own.
 */
export function asRefusal(error: TidemarkError, { isVersioned }: { readonly isVersioned: boolean }): TidemarkError {
  const remedy = remedyOf(error, isVersioned)
  return remedy === undefined ? error : new TidemarkError(error.code, error.message, { remedy, detail: error.detail, cause: error })
}

function remedyOf({ code }: TidemarkError, isVersioned: boolean): string | undefined {
  if (code === 'TARGET_ROW_TOO_LARGE') return 'Make the row smaller at its sender, or leave the table out of `tables` of the propagator.'
  if (code !== 'TARGET_CONSTRAINT') return undefined
  if (isVersioned) return 'Drop the constraint on the peer, or change the row that does not fit it: the table is then merged by itself.'
  return 'Drop the constraint on the peer, or change the row that does not fit it; then empty the peer\'s table, or set `replacesRows` on the receiver: it is copied by itself.'
}
