import { TidemarkError } from '../errors/tidemark-error.ts'
import type { StoredReplication } from '../state/ledger.ts'
import { decodeState, encodeState } from './replication-state.ts'
import type { ResolvedReplication } from './resolve-replication.ts'
import { settledAt, startOfTable } from './settled-cursor.ts'

export interface CursorResetOptions {
  readonly replication: ResolvedReplication
  readonly tracking: string | undefined
}

/** The stored state with its cursor set back. A copy that is not live yet has none: its load begins at the start anyway. */
export function cursorReset(stored: StoredReplication | undefined, options: CursorResetOptions): string {
  if (options.replication.mode === 'full') {
    throw new TidemarkError('NOT_SUPPORTED', `"${options.replication.name}" copies its table whole each time and has no cursor.`)
  }
  if (stored?.state === undefined) throw new TidemarkError('NAME_UNKNOWN', `"${options.replication.name}" has not been synced yet.`)
  const state = decodeState(stored.state)
  // No key: every row of the tracking value itself is read again too.
  const cursor = options.tracking === undefined ? startOfTable : settledAt({ tracking: options.tracking, key: [] })
  return encodeState({ ...state, cursor })
}
