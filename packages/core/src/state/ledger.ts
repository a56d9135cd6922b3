import type { LeaseStore } from './lease.ts'

/** A configured replication as it is kept in the target. Never holds a credential. */
export interface ReplicationRecord {
  readonly name: string
  /** `postgres://host/database`, without user and password. */
  readonly sourceAddress: string
  readonly sourceTable: string
  readonly targetTable: string
  readonly trackingColumn: string | undefined
  readonly syncIntervalMinutes: number | undefined
  readonly isActive: boolean
}

export interface StoredReplication extends ReplicationRecord {
  /** When it was saved first. */
  readonly createdAtMs: number
  /** The checkpoint's state; `undefined` before the first commit. */
  readonly state: string | undefined
  readonly lastSyncAtMs: number | undefined
  readonly lastSyncValue: string | undefined
}

/** One run of one replication. */
export interface RunLogEntry {
  readonly name: string
  readonly status: 'success' | 'error'
  /** Rows inserted, changed or deleted in the target. */
  readonly rows: number
  readonly errorCode: string | undefined
  readonly errorMessage: string | undefined
  readonly durationMs: number
  /** Milliseconds since 1970. */
  readonly atMs: number
}

export interface RunLogLimits {
  readonly maxAgeMs: number
  readonly maxEntries: number
}

/** Tidemark's own tables in the target. */
export interface Ledger extends LeaseStore {
  /** Creates or updates the configuration; an existing checkpoint stays as it is. */
  saveReplication(record: ReplicationRecord, nowMs: number): Promise<void>
  readReplication(name: string): Promise<StoredReplication | undefined>
  listReplications(): Promise<readonly StoredReplication[]>
  /** Removes configuration and checkpoint. The copied table and the run log stay. */
  removeReplication(name: string): Promise<void>
  appendRun(entry: RunLogEntry, limits: RunLogLimits): Promise<void>
  /** Newest first. */
  readRuns(query: { readonly name?: string | undefined; readonly limit: number }): Promise<readonly RunLogEntry[]>
}
