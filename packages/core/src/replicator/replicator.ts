import pLimit from 'p-limit'
import type { AbortOptions, SourceConnection } from '../dialect/source.ts'
import type { TargetConnection, TargetDialect } from '../dialect/target.ts'
import { HeldLease } from '../engine/held-lease.ts'
import { configError } from '../errors/fault.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import { Emitter, type Unsubscribe } from '../events/emitter.ts'
import { silentLogger, type Logger } from '../log/logger.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { systemRuntime } from '../runtime/system-runtime.ts'
import type { RunLogEntry, StoredReplication } from '../state/ledger.ts'
import { examineReplication, type DoctorReport } from './doctor.ts'
import { planReplication, type ReplicationPlan } from './plan.ts'
import { ReplicationRunner, type SyncOptions } from './replication-runner.ts'
import { encodeState, newState } from './replication-state.ts'
import { eventStream } from './event-stream.ts'
import type { ReplicatorEvent, ReplicatorEvents, SyncResult } from './replicator-events.ts'
import type { AnyTables, Replication, ReplicationOf, ReplicatorOptions } from './replicator-options.ts'
import { resolveSettings, type ReplicatorSettings } from './replicator-settings.ts'
import { statusOf, type ReplicationStatus } from './replicator-status.ts'
import { throwIfAborted } from '../util/throw-if-aborted.ts'
import { resolveReplications, type ResolvedReplication } from './resolve-replication.ts'
import { cursorReset } from './reset-cursor.ts'
import { StepDue, type StepDueOptions } from './step-due.ts'
import { leaseOf } from './sync-run.ts'

interface Opened {
  readonly target: TargetConnection
  readonly runners: Map<string, ReplicationRunner>
}

/**
 * Keeps tables of a source copied into SQLite or libSQL.
 *
 * The target and the sources are opened when first needed. `start()` begins the schedule; `syncNow()` also works
 * without it. Every method that waits takes a `signal` and settles within a second of it.
 *
 * `DB` is a Kysely database type; with it table and column names are checked by the compiler.
 *
 * Errors: the constructor and `configure` throw `CONFIG_INVALID` with every fault found; methods that take a name reject with
 * `NAME_UNKNOWN`; the others are those of the source (`SOURCE_*`) and the target (`TARGET_*`).
 */
export class Replicator<DB = AnyTables> implements AsyncDisposable {
  readonly #target: TargetDialect
  readonly #settings: ReplicatorSettings
  readonly #runtime: Runtime
  readonly #logger: Logger
  readonly #emitter: Emitter<ReplicatorEvents>
  readonly #limit: ReturnType<typeof pLimit>
  #options: readonly Replication[]
  #opening: Promise<Opened> | undefined
  #isStarted = false

  constructor(options: ReplicatorOptions<NoInfer<DB>>) {
    this.#settings = resolveSettings(options)
    this.#target = options.target
    this.#options = options.replications ?? []
    this.#runtime = options.runtime ?? systemRuntime()
    this.#logger = options.logger ?? silentLogger
    this.#emitter = new Emitter((_error, event) => this.#logger.warn({ event }, 'A listener failed.'))
    this.#limit = pLimit(this.#settings.concurrency)
  }

  /** Listens to one kind of event. A listener that throws breaks nothing. */
  on<Name extends keyof ReplicatorEvents>(event: Name, listener: (payload: ReplicatorEvents[Name]) => unknown): Unsubscribe {
    return this.#emitter.on(event, listener)
  }

  /** All events as they come, until the signal fires. A reader that falls 10,000 behind loses the oldest. */
  events(options: AbortOptions = {}): AsyncIterable<ReplicatorEvent> {
    return eventStream(this.#emitter, options.signal)
  }

  /** Opens the target and schedules every active replication; overdue ones run at once. Calling it again changes nothing. */
  async start(options: AbortOptions = {}): Promise<void> {
    const opening = this.#open(options)
    const { target, runners } = await opening
    const stored = new Map((await target.ledger.listReplications()).map((entry) => [entry.name, entry]))
    // A stop that came meanwhile has the last word.
    if (this.#isStarted || this.#opening !== opening) return
    this.#isStarted = true
    for (const runner of runners.values()) this.#scheduleIfActive(runner, stored.get(runner.replication.name))
  }

  /** Ends the schedule, waits for the slice in flight, closes every connection. It may be started again. */
  async stop(): Promise<void> {
    const opening = this.#opening
    this.#opening = undefined
    this.#isStarted = false
    const opened = await opening?.catch(() => undefined)
    if (opened === undefined) return
    await Promise.all([...opened.runners.values()].map((runner) => runner.retire()))
    await opened.target[Symbol.asyncDispose]()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /**
   * Adds a replication, or replaces the options of the one with this name. Its checkpoint stays unless the options
   * now ask for another copy; then the new copy is made beside the one in use.
   */
  async configure(replication: ReplicationOf<DB>, options: AbortOptions = {}): Promise<void> {
    const others = this.#options.filter((other) => other.name !== replication.name)
    const all = [...others, replication as Replication]
    const resolved = resolveReplications(all, this.#settings.tablePrefix).at(-1)
    this.#options = all
    if (resolved === undefined || this.#opening === undefined) return
    const opened = await this.#open(options)
    await opened.runners.get(resolved.name)?.retire()
    const runner = await this.#addRunner(opened, resolved)
    if (this.#isStarted) this.#scheduleIfActive(runner, await opened.target.ledger.readReplication(resolved.name))
  }

  /** Forgets a replication and its checkpoint. The copied table stays unless `dropTable`. */
  async remove(name: string, options: { readonly dropTable?: boolean | undefined } & AbortOptions = {}): Promise<void> {
    const { target, runners } = await this.#open(options)
    const runner = this.#runnerOf(runners, name)
    await runner.retire()
    runners.delete(name)
    this.#options = this.#options.filter((replication) => replication.name !== name)
    await target.discardLoad(runner.replication.targetTable)
    await target.ledger.removeReplication(name)
    if (options.dropTable === true) await target.dropTable(runner.replication.targetTable)
  }

  /** Takes one replication off the schedule, also across restarts. A sync under way ends after its slice. */
  async pause(name: string, options: AbortOptions = {}): Promise<void> {
    const { target, runners } = await this.#open(options)
    const runner = this.#runnerOf(runners, name)
    await this.#setActive(target, runner.replication, false)
    await runner.stop('paused')
  }

  /** Puts a paused replication back on the schedule. */
  async resume(name: string, options: AbortOptions = {}): Promise<void> {
    const { target, runners } = await this.#open(options)
    const runner = this.#runnerOf(runners, name)
    await this.#setActive(target, runner.replication, true)
    const stored = await target.ledger.readReplication(name)
    if (this.#isStarted) runner.schedule(stored?.lastSyncAtMs)
  }

  /**
   * Syncs one replication now. A second call joins the run under way. A failed sync rejects; it never resolves with
   * nothing done.
   */
  async syncNow(name: string, options?: SyncOptions): Promise<SyncResult>
  /** Syncs all active replications side by side; rejects with the first failure after all have ended. */
  async syncNow(options?: SyncOptions): Promise<readonly SyncResult[]>
  async syncNow(nameOrOptions?: string | SyncOptions, options: SyncOptions = {}): Promise<SyncResult | readonly SyncResult[]> {
    if (typeof nameOrOptions === 'string') {
      const { runners } = await this.#open(options)
      return this.#runnerOf(runners, nameOrOptions).sync(options)
    }
    return this.#syncAll(nameOrOptions ?? {})
  }

  /**
   * A slice of every active replication that is due. For an alarm or a cron trigger, instead of `start()`: call it again at `nextAtMs`, in milliseconds
   * since 1970, which is the earliest of all and `undefined` where none comes by itself. Whoever calls may be another process each time: what is due is
   * told by what the target remembers. A cron expression whose time has passed meanwhile is due once.
   *
   * What goes wrong with a replication is in its status, its log and its events, not thrown, and it is tried again with the delays of `retry`.
   * Errors: `ABORTED`, `CONFIG_INVALID` for a budget that is no time, and those of the target.
   */
  async stepDue(options: StepDueOptions = {}): Promise<{ readonly nextAtMs: number | undefined }> {
    throwIfAborted(options.signal)
    if (!((options.budget?.ms ?? 1) > 0)) throw configError([{ path: 'budget.ms', message: 'Must be greater than 0.' }])
    const { target, runners } = await this.#open(options)
    const candidates = (await target.ledger.listReplications()).filter((stored) => stored.isActive).flatMap((stored) => {
      const runner = runners.get(stored.name)
      return runner === undefined ? [] : [{ runner, stored }]
    })
    const { concurrency, leaseTtlMs } = this.#settings
    const step = new StepDue({
      runtime: this.#runtime, logger: this.#logger, concurrency, elsewhereMs: leaseTtlMs, hasPlace: () => this.#limit.activeCount < concurrency,
    }, options)
    return { nextAtMs: await step.run(candidates) }
  }

  /** Every replication as it stands, in the order of the options. */
  async status(options: AbortOptions = {}): Promise<readonly ReplicationStatus[]> {
    const { target, runners } = await this.#open(options)
    const stored = new Map((await target.ledger.listReplications()).map((entry) => [entry.name, entry]))
    return [...runners.values()].flatMap((runner) => {
      const entry = stored.get(runner.replication.name)
      return entry === undefined ? [] : [statusOf(runner, entry)]
    })
  }

  /** Past runs, newest first. `limit` is 1 to 1,000, default 50. */
  async logs(query: { readonly limit?: number | undefined; readonly name?: string | undefined } & AbortOptions = {}): Promise<readonly RunLogEntry[]> {
    const limit = query.limit ?? 50
    if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) {
      throw configError([{ path: 'limit', message: 'Must be a whole number from 1 to 1000.' }])
    }
    const { target } = await this.#open(query)
    return target.ledger.readRuns({ limit, name: query.name })
  }

  /**
   * Makes the next sync read the table from its beginning again, or from after `tracking`, the source's own text of a
   * tracking value. Rows already copied stay and are overwritten only where they differ.
   */
  async resetCursor(name: string, options: { readonly tracking?: string | undefined } & AbortOptions = {}): Promise<void> {
    await this.#rewrite(name, options, (stored, replication) => cursorReset(stored, { replication, tracking: options.tracking }))
  }

  /** Copies one table anew. The copy in use serves readers until the new one is complete. */
  async resync(name: string, options: SyncOptions = {}): Promise<SyncResult> {
    await this.#rewrite(name, options, (_stored, replication) => encodeState(newState(replication.definition)))
    return this.syncNow(name, options)
  }

  /** Finds and heals rows that are missing, different or deleted at the source, to the end. */
  reconcile(name: string, options: AbortOptions = {}): Promise<SyncResult> {
    return this.syncNow(name, { ...options, reconcile: true })
  }

  /** What the next sync of each replication would do. Reads the sources, writes nothing to the copies. */
  async plan(options: AbortOptions = {}): Promise<readonly ReplicationPlan[]> {
    const { target, runners } = await this.#open(options)
    return Promise.all([...runners.values()].map(async ({ replication }) => {
      const stored = await target.ledger.readReplication(replication.name)
      return withSource(replication, options, (source) => planReplication(source, { replication, stored }, options))
    }))
  }

  /** What is wrong with the source tables and their tracking columns, with the SQL that mends it. */
  async doctor(name?: string, options: AbortOptions = {}): Promise<readonly DoctorReport[]> {
    const all = resolveReplications(this.#options, this.#settings.tablePrefix)
    const chosen = name === undefined ? all : all.filter((replication) => replication.name === name)
    if (name !== undefined && chosen.length === 0) throw unknownName(name)
    return Promise.all(chosen.map((replication) =>
      withSource(replication, options, (source) => examineReplication(source, replication, options))))
  }

  #open(options: AbortOptions): Promise<Opened> {
    this.#opening ??= this.#connect(options).catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  async #connect(options: AbortOptions): Promise<Opened> {
    const resolved = resolveReplications(this.#options, this.#settings.tablePrefix)
    const target = await this.#target.connect({ tablePrefix: this.#settings.tablePrefix, signal: options.signal })
    try {
      const opened = { target, runners: new Map<string, ReplicationRunner>() }
      for (const replication of resolved) await this.#addRunner(opened, replication)
      return opened
    } catch (error) {
      await target[Symbol.asyncDispose]()
      throw error
    }
  }

  async #addRunner(opened: Opened, replication: ResolvedReplication): Promise<ReplicationRunner> {
    const { target, runners } = opened
    const stored = await target.ledger.readReplication(replication.name)
    await this.#setActive(target, replication, replication.isActive ?? stored?.isActive ?? true)
    const runner = new ReplicationRunner(replication, {
      target,
      runtime: this.#runtime,
      emitter: this.#emitter,
      logger: this.#logger,
      settings: this.#settings,
      limit: (work) => this.#limit(work),
    })
    // Two calls may configure one name at once; whoever comes last takes the place, and the other must not run on unseen.
    const replaced = runners.get(replication.name)
    runners.set(replication.name, runner)
    await replaced?.retire()
    return runner
  }

  #setActive(target: TargetConnection, replication: ResolvedReplication, isActive: boolean): Promise<void> {
    const { name, source, sourceTable, targetTable, syncIntervalMinutes, mode } = replication
    const trackingColumn = mode === 'full' ? undefined : replication.trackingColumn
    const record = { name, sourceAddress: source.address, sourceTable, targetTable, trackingColumn, syncIntervalMinutes, isActive }
    return target.ledger.saveReplication(record, this.#runtime.now())
  }

  #scheduleIfActive(runner: ReplicationRunner, stored: StoredReplication | undefined): void {
    if (stored?.isActive !== false) runner.schedule(stored?.lastSyncAtMs)
    else void runner.stop('paused')
  }

  async #syncAll(options: SyncOptions): Promise<readonly SyncResult[]> {
    const { target, runners } = await this.#open(options)
    const active = (await target.ledger.listReplications()).filter((entry) => entry.isActive)
    const chosen = active.flatMap((entry) => runners.get(entry.name) ?? [])
    const outcomes = await Promise.allSettled(chosen.map((runner) => runner.sync(options)))
    const failure = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failure !== undefined) throw failure.reason
    return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  }

  /** Replaces a checkpoint under the replication's own lease, so that no running sync can write over it. */
  async #rewrite(
    name: string, options: AbortOptions, next: (stored: StoredReplication | undefined, replication: ResolvedReplication) => string,
  ): Promise<void> {
    const { target, runners } = await this.#open(options)
    const runner = this.#runnerOf(runners, name)
    const { instance, leaseTtlMs } = this.#settings
    const wasResting = runner.resting
    await runner.stop(wasResting === 'paused' ? 'paused' : 'stopped')
    try {
      const lease = await HeldLease.acquire(target.ledger, this.#runtime, { lease: leaseOf(name), holder: instance, ttlMs: leaseTtlMs })
      try {
        const stored = await target.ledger.readReplication(name)
        const state = next(stored, runner.replication)
        await target.save({ fence: lease.fence, checkpoint: { name, state, lastSyncAtMs: stored?.lastSyncAtMs, lastSyncValue: undefined } })
      } finally {
        await lease[Symbol.asyncDispose]()
      }
    } finally {
      // Whether it worked or not: a refused call must not end the schedule.
      if (wasResting === 'waiting' && this.#isStarted) runner.schedule((await target.ledger.readReplication(name).catch(() => undefined))?.lastSyncAtMs)
    }
  }

  #runnerOf(runners: ReadonlyMap<string, ReplicationRunner>, name: string): ReplicationRunner {
    const runner = runners.get(name)
    if (runner === undefined) throw unknownName(name)
    return runner
  }
}

function unknownName(name: string): TidemarkError {
  return new TidemarkError('NAME_UNKNOWN', `No replication is named "${name}".`)
}

async function withSource<T>(replication: ResolvedReplication, options: AbortOptions, work: (source: SourceConnection) => Promise<T>): Promise<T> {
  const source = await replication.source.connect(options)
  try {
    return await work(source)
  } finally {
    await source[Symbol.asyncDispose]()
  }
}
