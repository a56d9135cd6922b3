import type { ErrorReport } from '../errors/tidemark-error.ts'
import type { StoredReplication } from '../state/ledger.ts'
import type { Activity, SyncResult } from './replicator-events.ts'
import type { ReplicationRunner } from './replication-runner.ts'
import { decodeState } from './replication-state.ts'

/** One replication as it stands. Holds no credential and no row. */
export interface ReplicationStatus {
  readonly name: string
  /** `postgres://host/database`, without user and password. */
  readonly source: string
  readonly sourceTable: string
  readonly targetTable: string
  readonly trackingColumn: string | undefined
  readonly activity: Activity
  readonly isActive: boolean
  /** How far the copy is: not begun, being loaded, or in use. */
  readonly phase: 'new' | 'loading' | 'live'
  /** Rows loaded so far, while loading. */
  readonly loadedRows: number | undefined
  /** The newest tracking value read. */
  readonly lastSyncValue: string | undefined
  readonly lastSyncAtMs: number | undefined
  readonly nextSyncAtMs: number | undefined
  readonly lastResult: SyncResult | undefined
  readonly lastError: ErrorReport | undefined
  /** Ends of earlier passes below which old writers may still commit, and since when. */
  readonly unsettled: { readonly marks: number; readonly sinceMs: number | undefined }
  /** Everything up to this tracking value has been compared with the source, rows deleted there included. */
  readonly verifiedThrough: string | undefined
  readonly verifiedAtMs: number | undefined
}

export function statusOf(runner: ReplicationRunner, stored: StoredReplication): ReplicationStatus {
  const { replication } = runner
  const state = stored.state === undefined ? undefined : decodeState(stored.state)
  const marks = state?.cursor.marks ?? []
  return {
    name: replication.name,
    source: replication.source.address,
    sourceTable: replication.sourceTable,
    targetTable: replication.targetTable,
    trackingColumn: replication.mode === 'full' ? undefined : replication.trackingColumn,
    activity: runner.activity,
    isActive: stored.isActive,
    phase: state?.phase ?? 'new',
    loadedRows: state?.load?.rows,
    lastSyncValue: stored.lastSyncValue,
    lastSyncAtMs: stored.lastSyncAtMs,
    nextSyncAtMs: runner.nextSyncAtMs,
    lastResult: runner.lastResult,
    lastError: runner.lastError,
    unsettled: { marks: marks.length, sinceMs: marks[0]?.readAtMs },
    verifiedThrough: state?.verified?.throughTracking,
    verifiedAtMs: state?.verified?.atMs,
  }
}
