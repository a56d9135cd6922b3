import type { StoredReplication } from '../state/ledger.ts'
import { decodeState } from './replication-state.ts'

/** What a target remembers of a replication: how far its copy is, without its source being configured. */
export interface StoredStatus {
  readonly name: string
  /** `postgres://host/database`, without user and password. */
  readonly source: string
  readonly sourceTable: string
  readonly targetTable: string
  readonly trackingColumn: string | undefined
  /** `undefined` where it has a schedule of another kind. */
  readonly syncIntervalMinutes: number | undefined
  readonly isActive: boolean
  /** How far the copy is: not begun, being loaded, or in use. */
  readonly phase: 'new' | 'loading' | 'live'
  /** Rows loaded so far, while loading. */
  readonly loadedRows: number | undefined
  /** The newest tracking value read. */
  readonly lastSyncValue: string | undefined
  readonly lastSyncAtMs: number | undefined
  /** Ends of earlier passes below which old writers may still commit, and since when. */
  readonly unsettled: { readonly marks: number; readonly sinceMs: number | undefined }
  /** Everything up to this tracking value has been compared with the source, rows deleted there included. */
  readonly verifiedThrough: string | undefined
  readonly verifiedAtMs: number | undefined
}

/** Errors: `STATE_NEWER`, `STATE_CORRUPT`. */
export function storedStatus(stored: StoredReplication): StoredStatus {
  const state = stored.state === undefined ? undefined : decodeState(stored.state)
  const marks = state?.cursor.marks ?? []
  return {
    name: stored.name,
    source: stored.sourceAddress,
    sourceTable: stored.sourceTable,
    targetTable: stored.targetTable,
    trackingColumn: stored.trackingColumn,
    syncIntervalMinutes: stored.syncIntervalMinutes,
    isActive: stored.isActive,
    phase: state?.phase ?? 'new',
    loadedRows: state?.load?.rows,
    lastSyncValue: stored.lastSyncValue,
    lastSyncAtMs: stored.lastSyncAtMs,
    unsettled: { marks: marks.length, sinceMs: marks[0]?.readAtMs },
    verifiedThrough: state?.verified?.throughTracking,
    verifiedAtMs: state?.verified?.atMs,
  }
}
