import { HeldLease } from '../engine/held-lease.ts'
import { runSteps, withRetry, type RetryContext, type RetryOptions } from '../engine/run-steps.ts'
import type { SliceBudget } from '../engine/step.ts'
import type { SourceConnection } from '../dialect/source.ts'
import type { TargetConnection } from '../dialect/target.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import type { Emitter } from '../events/emitter.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Fence } from '../state/lease.ts'
import type { StoredReplication } from '../state/ledger.ts'
import type { PageSize } from '../util/page-size.ts'
import { decodeState, newState, type ReplicationState } from './replication-state.ts'
import type { ReplicatorEvents, SyncResult } from './replicator-events.ts'
import type { ResolvedReplication } from './resolve-replication.ts'
import { SyncSession } from './sync-session.ts'
import { TableSync } from './table-sync.ts'

export interface SyncRunOptions {
  readonly replication: ResolvedReplication
  readonly target: TargetConnection
  readonly connectSource: () => Promise<SourceConnection>
  readonly runtime: Runtime
  readonly emitter: Emitter<ReplicatorEvents>
  readonly budget: SliceBudget
  readonly retry: RetryOptions
  readonly holder: string
  /** What earlier runs of the table know of its rows. */
  readonly pageSize: PageSize
  readonly leaseTtlMs: number
  /** Reconcile now and to the end, due or not. */
  readonly reconcile: boolean
  readonly signal: AbortSignal
}

const MS_PER_MINUTE = 60_000

export function leaseOf(name: string): string {
  return `replication:${name}`
}

/** One sync of one table under its lease: from the stored checkpoint to the table's end. */
export async function syncRun(options: SyncRunOptions): Promise<SyncResult> {
  const { replication, target, runtime } = options
  const lease = await HeldLease.acquire(target.ledger, runtime, { lease: leaseOf(replication.name), holder: options.holder, ttlMs: options.leaseTtlMs })
  try {
    const session = await openSession(options, lease.fence)
    const hadBegun = session.state.reconcileStartedAtMs !== undefined
    await run(session, lease, options)
    if (options.reconcile && !hadBegun && replication.mode === 'incremental') {
      // The table was still being loaded: what it lost meanwhile is found only now.
      session.state = withReconcile(session.state, { replication, nowMs: runtime.now(), isForced: true })
      await run(session, lease, options)
    }
    if (options.reconcile && session.state.reconcileStartedAtMs !== undefined) throw unfinished(replication)
    session.lastSyncAtMs = runtime.now()
    await session.save(session.state)
    return resultOf(session)
  } finally {
    await lease[Symbol.asyncDispose]()
  }
}

async function run(session: SyncSession, lease: HeldLease, options: SyncRunOptions): Promise<void> {
  const { replication } = session.context
  const reconcileBudgetMs = options.reconcile ? Infinity : replication.reconcile?.budgetMs ?? 0
  const sync = new TableSync(session, { reconcileBudgetMs })
  try {
    await runSteps(sync, { ...retryContext(options), budget: options.budget, beforeStep: () => lease.renew() })
  } finally {
    await sync[Symbol.asyncDispose]()
  }
}

function retryContext(options: SyncRunOptions): RetryContext {
  const { replication, emitter, runtime, retry, signal } = options
  return {
    runtime,
    retry,
    signal,
    onRetry: (error, attempt, delayMs) => emitter.emit('sync:retry', { name: replication.name, error: error.toJSON(), attempt, delayMs }),
  }
}

async function openSession(options: SyncRunOptions, fence: Fence): Promise<SyncSession> {
  const { replication, target, runtime, emitter, pageSize } = options
  const stored = await target.ledger.readReplication(replication.name)
  if (stored === undefined) throw new TidemarkError('NAME_UNKNOWN', `No replication is named "${replication.name}".`)
  const state = await usableState(stored, options)
  const source = await withRetry(retryContext(options), options.connectSource)
  const due = withReconcile(state, { replication, nowMs: runtime.now(), isForced: options.reconcile })
  pageSize.restart()
  return new SyncSession({ replication, source, target, runtime, emitter, fence, pageSize }, due, stored.lastSyncAtMs)
}

/** The stored state, unless the options now ask for another copy or the copy is not there any more. */
async function usableState(stored: StoredReplication, options: SyncRunOptions): Promise<ReplicationState> {
  const { replication, target } = options
  const fresh = newState(replication.definition)
  if (stored.state === undefined) return fresh
  const state = decodeState(stored.state)
  if (state.definition !== replication.definition) return fresh
  const isMissing = state.phase === 'live' && await target.inspectTable(replication.targetTable) === 'absent'
  return isMissing ? fresh : state
}

function withReconcile(
  state: ReplicationState, options: { readonly replication: ResolvedReplication; readonly nowMs: number; readonly isForced: boolean },
): ReplicationState {
  const { replication, nowMs, isForced } = options
  if (state.phase !== 'live' || replication.mode === 'full') return state
  if (!isForced && (state.reconcileStartedAtMs !== undefined || !isReconcileDue(state, replication, nowMs))) return state
  // One under way that is asked for begins anew: what it has passed already may have changed since.
  const reread = { reason: state.reread?.reason ?? 'reconcile', after: undefined, mark: state.reread?.mark }
  return { ...state, reread, sweep: { after: undefined }, reconcileStartedAtMs: nowMs, healedRows: 0 }
}

function isReconcileDue(state: ReplicationState, replication: ResolvedReplication, nowMs: number): boolean {
  const intervalMs = (replication.reconcile?.intervalMinutes ?? Infinity) * MS_PER_MINUTE
  return nowMs - (state.reconciledAtMs ?? -Infinity) >= intervalMs
}

/** A re-read that waits for old writers holds the sweep up; what was asked for has not been done. */
function unfinished(replication: ResolvedReplication): TidemarkError {
  return new TidemarkError('SOURCE_BUSY', `The reconcile of "${replication.name}" waits for a transaction that was open when its table was loaded.`, {
    remedy: 'It goes on with the next sync; end the transaction at the source, or look for one that was forgotten.',
  })
}

function resultOf(session: SyncSession): SyncResult {
  const { context, state } = session
  const { marks } = state.cursor
  return {
    name: context.replication.name,
    rows: session.rowsChanged,
    rowsRead: session.rowsRead,
    durationMs: context.runtime.now() - session.startedAtMs,
    unsettled: { marks: marks.length, sinceMs: marks[0]?.readAtMs },
  }
}
