import type { ErrorReport } from '../errors/tidemark-error.ts'
import type { ColumnChange, DriftAction } from './schema-drift.ts'

/** What one sync did. */
export interface SyncResult {
  readonly name: string
  /** Rows inserted, changed or deleted in the target. */
  readonly rows: number
  /** Rows read from the source; greater than `rows` while the end of the table has not settled. */
  readonly rowsRead: number
  readonly durationMs: number
  /** What may still change below the newest row read, because writers are still open or the grace is not over. */
  readonly unsettled: { readonly marks: number; readonly sinceMs: number | undefined }
}

export type SyncPhase = 'load' | 'poll' | 'reread' | 'sweep'

/** Events of a `Replicator`. Payloads never hold row values. */
export interface ReplicatorEvents {
  'sync:start': { readonly name: string }
  /** After each slice. */
  'sync:progress': {
    readonly name: string
    readonly phase: SyncPhase
    /** Rows read so far in this phase. */
    readonly rows: number
    /** The source's own estimate of the table's size, if it has one. */
    readonly estimatedRows: number | undefined
    readonly durationMs: number
  }
  'sync:success': SyncResult
  'sync:error': { readonly name: string; readonly error: ErrorReport; readonly durationMs: number }
  /** A step failed and is tried again after a delay. */
  'sync:retry': { readonly name: string; readonly error: ErrorReport; readonly attempt: number; readonly delayMs: number }
  /** Another worker is at it. */
  'sync:skipped': { readonly name: string; readonly error: ErrorReport }
  'schema:changed': { readonly name: string; readonly changes: readonly ColumnChange[]; readonly action: DriftAction }
  /** The cursor lies above every row: the newest rows were deleted, or the source was restored from a backup. */
  'cursor:ahead': { readonly name: string; readonly remedy: string }
  /** A reconcile found rows that were missing, different or deleted at the source, and healed them. */
  'drift:found': { readonly name: string; readonly rows: number }
  'reconcile:success': { readonly name: string; readonly healedRows: number; readonly verifiedThrough: string | undefined; readonly durationMs: number }
  'status:change': { readonly name: string; readonly activity: Activity }
}

export type Activity = 'stopped' | 'waiting' | 'syncing' | 'paused' | 'failed'

/** Any event, as `events()` yields it. */
export type ReplicatorEvent = {
  [Type in keyof ReplicatorEvents]: { readonly type: Type; readonly payload: ReplicatorEvents[Type] }
}[keyof ReplicatorEvents]
