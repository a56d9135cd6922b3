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
import { decodeState, encodeState, newState, type ReplicationState } from './replication-state.ts'
import type { ReplicatorEvents, SyncResult } from './replicator-events.ts'
import type { ResolvedReplication } from './resolve-replication.ts'
import { SyncSession, type SyncCounts } from './sync-session.ts'
import { TableSync, type SyncProgress } from './table-sync.ts'

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
  /** Only a part of the run: no step begins after this, and nothing is tried again. Default: all of it. */
  readonly untilMs?: number | undefined
  /** What the part before has left. */
  readonly rest?: RunRest | undefined
}

/** Where a part of a run stopped. Of no use once the stored state is another: somebody else has been at it. */
export interface RunRest {
  readonly state: string
  readonly progress: SyncProgress
  readonly counts: SyncCounts
}

export interface RunOutcome {
  readonly result: SyncResult
  /** What is left of the run; `undefined` when all is done. */
  readonly rest: RunRest | undefined
}

interface Part {
  readonly session: SyncSession
  readonly progress: SyncProgress | undefined
}

const MS_PER_MINUTE = 60_000

export function leaseOf(name: string): string {
  return `replication:${name}`
}

/** One sync of one table under its lease: from the stored checkpoint to the table's end, or for as long as there is time. */
export async function syncRun(options: SyncRunOptions): Promise<RunOutcome> {
  const { replication, target, runtime } = options
  const lease = await HeldLease.acquire(target.ledger, runtime, { lease: leaseOf(replication.name), holder: options.holder, ttlMs: options.leaseTtlMs })
  try {
    const { session, progress } = await openSession(options, lease.fence)
    const hadBegun = session.state.reconcileStartedAtMs !== undefined
    const left = await run({ session, progress }, lease, options)
    if (left !== undefined) return await leave(session, left)
    if (options.reconcile && !hadBegun && replication.mode === 'incremental') {
      // The table was still being loaded: what it lost meanwhile is found only now.
      session.state = withReconcile(session.state, { replication, nowMs: runtime.now(), isForced: true })
      await run({ session, progress: undefined }, lease, options)
    }
    if (options.reconcile && session.state.reconcileStartedAtMs !== undefined) throw unfinished(replication)
    session.lastSyncAtMs = runtime.now()
    await session.save(session.state)
    return { result: resultOf(session), rest: undefined }
  } finally {
    await lease[Symbol.asyncDispose]()
  }
}

/** Gives what is left where there was no time for all. */
async function run({ session, progress }: Part, lease: HeldLease, options: SyncRunOptions): Promise<SyncProgress | undefined> {
  const { replication } = session.context
  const reconcileBudgetMs = options.reconcile ? Infinity : replication.reconcile?.budgetMs ?? 0
  const sync = new TableSync(session, { reconcileBudgetMs, progress })
  try {
    const isDone = await runSteps(sync, {
      ...retryContext(options), budget: sliceBudget(options), beforeStep: () => lease.renew(), isOver: () => leftMs(options) <= 0,
    })
    return isDone ? undefined : sync.progress
  } finally {
    await sync[Symbol.asyncDispose]()
  }
}

function leftMs({ untilMs, runtime }: SyncRunOptions): number {
  return untilMs === undefined ? Infinity : untilMs - runtime.now()
}

/** However little time is left, there is some: what is begun must get on. */
function sliceBudget(options: SyncRunOptions): SliceBudget {
  return { ...options.budget, ms: Math.min(options.budget.ms, Math.max(1, leftMs(options))) }
}

/** What the steps have found out without a row to write is stored too, so that the next part knows the state again. */
async function leave(session: SyncSession, progress: SyncProgress): Promise<RunOutcome> {
  await session.save(session.state)
  return { result: resultOf(session), rest: { state: encodeState(session.state), progress, counts: session.counts } }
}

function retryContext(options: SyncRunOptions): RetryContext {
  const { replication, emitter, runtime, signal, untilMs } = options
  return {
    runtime,
    // Who gives a part of a run its time does not want it slept away.
    retry: untilMs === undefined ? options.retry : { ...options.retry, attempts: 1 },
    signal,
    onRetry: (error, attempt, delayMs) => emitter.emit('sync:retry', { name: replication.name, error: error.toJSON(), attempt, delayMs }),
  }
}

async function openSession(options: SyncRunOptions, fence: Fence): Promise<Part> {
  const { replication, target, runtime, emitter, pageSize } = options
  const stored = await target.ledger.readReplication(replication.name)
  if (stored === undefined) throw new TidemarkError('NAME_UNKNOWN', `No replication is named "${replication.name}".`)
  const known = await usableState(stored, options)
  const state = known ?? newState(replication.definition)
  const source = await withRetry(retryContext(options), options.connectSource)
  const due = withReconcile(state, { replication, nowMs: runtime.now(), isForced: options.reconcile })
  const rest = known !== undefined && options.rest?.state === stored.state ? options.rest : undefined
  if (rest === undefined) pageSize.restart()
  const session = new SyncSession({ replication, source, target, runtime, emitter, fence, pageSize }, due, { lastSyncAtMs: stored.lastSyncAtMs, counts: rest?.counts })
  return { session, progress: rest?.progress }
}

/** The stored state, unless the options now ask for another copy or the copy is not there any more. */
async function usableState(stored: StoredReplication, options: SyncRunOptions): Promise<ReplicationState | undefined> {
  const { replication, target } = options
  if (stored.state === undefined) return undefined
  const state = decodeState(stored.state)
  if (state.definition !== replication.definition) return undefined
  const isMissing = state.phase === 'live' && await target.inspectTable(replication.targetTable) === 'absent'
  return isMissing ? undefined : state
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
