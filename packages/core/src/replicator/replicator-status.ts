import type { ErrorReport } from '../errors/tidemark-error.ts'
import type { StoredReplication } from '../state/ledger.ts'
import type { Activity, SyncResult } from './replicator-events.ts'
import type { ReplicationRunner } from './replication-runner.ts'
import { storedStatus, type StoredStatus } from './stored-status.ts'

/** One replication as it stands: what the target remembers and what this process does. Holds no credential and no row. */
export interface ReplicationStatus extends StoredStatus {
  readonly activity: Activity
  readonly nextSyncAtMs: number | undefined
  readonly lastResult: SyncResult | undefined
  readonly lastError: ErrorReport | undefined
}

export function statusOf(runner: ReplicationRunner, stored: StoredReplication): ReplicationStatus {
  const { activity, nextSyncAtMs, lastResult, lastError } = runner
  return { ...storedStatus(stored), activity, nextSyncAtMs, lastResult, lastError }
}
