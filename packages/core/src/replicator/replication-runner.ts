import type { SourceConnection } from '../dialect/source.ts'
import type { TargetConnection } from '../dialect/target.ts'
import { TidemarkError, type ErrorReport } from '../errors/tidemark-error.ts'
import { toTidemarkError } from '../errors/to-tidemark-error.ts'
import type { Emitter } from '../events/emitter.ts'
import type { Logger } from '../log/logger.ts'
import type { Runtime, Wakeup } from '../runtime/runtime.ts'
import type { StoredReplication } from '../state/ledger.ts'
import { abortable } from '../util/abortable.ts'
import { hashUnit } from '../util/hash-unit.ts'
import { PageSize } from '../util/page-size.ts'
import { failedAgain, loggedFailures, type Failures } from './failures.ts'
import { nextDueAtMs } from './next-due.ts'
import type { Activity, ReplicatorEvents, SyncResult } from './replicator-events.ts'
import type { ResolvedReplication } from './resolve-replication.ts'
import type { ReplicatorSettings } from './replicator-settings.ts'
import { nextRunDelayMs } from './schedule.ts'
import { syncRun, type RunOutcome, type RunRest } from './sync-run.ts'

export interface RunnerContext {
  readonly target: TargetConnection
  readonly runtime: Runtime
  readonly emitter: Emitter<ReplicatorEvents>
  readonly logger: Logger
  readonly settings: ReplicatorSettings
  /** Bounds how many tables sync side by side. */
  readonly limit: <T>(work: () => Promise<T>) => Promise<T>
}

export interface SyncOptions {
  /** Also reconcile, to the end, whether due or not. */
  readonly reconcile?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** A source connection is kept between runs that come at least this often: an idle poll then costs one query. */
const KEEP_CONNECTION_MS = 60_000

/** A page's worth of memory; several tables may hold one each. */
const PAGE_BYTES = 4_000_000
const PAGE_ROWS = 10_000

export interface SliceOptions {
  /** No step begins after this, but for the first. */
  readonly untilMs: number
  readonly signal?: AbortSignal | undefined
}

interface FlightPlan {
  readonly reconciles: boolean
  /** Ends before the run does, and leaves the rest for the next. */
  readonly untilMs: number | undefined
}

interface Flight extends FlightPlan {
  readonly controller: AbortController
  readonly outcome: Promise<RunOutcome>
}

/** One replication of a running replicator: single flight, schedule, last outcome. */
export class ReplicationRunner {
  readonly replication: ResolvedReplication
  readonly #context: RunnerContext
  readonly #pageSize = new PageSize({ maxRows: PAGE_ROWS, maxBytes: PAGE_BYTES })
  #flight: Flight | undefined
  #source: SourceConnection | undefined
  #wakeup: Wakeup | undefined
  #activity: Activity = 'stopped'
  /** What it goes back to after a run. */
  #resting: 'stopped' | 'waiting' | 'paused' = 'stopped'
  #isRetired = false
  #rest: RunRest | undefined
  /** `undefined` until the log was asked, `null` for none. */
  #failures: Failures | null | undefined
  lastResult: SyncResult | undefined
  lastError: ErrorReport | undefined
  nextSyncAtMs: number | undefined
  lastSliceAtMs = 0

  constructor(replication: ResolvedReplication, context: RunnerContext) {
    this.replication = replication
    this.#context = context
  }

  get activity(): Activity {
    return this.#activity
  }

  /** What it does between runs. */
  get resting(): 'stopped' | 'waiting' | 'paused' {
    return this.#resting
  }

  /** Runs now, or joins the run under way. What that run can't give, because it was aborted or does not reconcile, follows it. */
  async sync(options: SyncOptions = {}): Promise<SyncResult> {
    if (this.#isRetired) throw retired(this.replication.name)
    const reconcile = options.reconcile === true
    if (options.signal?.aborted === true) throw new TidemarkError('ABORTED', 'The sync was aborted before it began.')
    const current = this.#flight
    if (current !== undefined && !givesAll(current, reconcile)) {
      await abortable(current.outcome.catch(() => undefined), options.signal)
      return this.sync(options)
    }
    const flight = current ?? this.#takeOff({ reconciles: reconcile, untilMs: undefined })
    // Only the caller who started the run ends it; one who joined just stops waiting.
    if (current === undefined) endWith(flight, options.signal)
    return (await abortable(flight.outcome, options.signal)).result
  }

  get isFlying(): boolean {
    return this.#flight !== undefined
  }

  /** Runs for a while, or to the end; what is left is for the next slice. Not while another run is under way. */
  async slice(options: SliceOptions): Promise<{ readonly isComplete: boolean }> {
    if (this.#isRetired) throw retired(this.replication.name)
    if (this.#flight !== undefined) throw new TypeError('A run is under way.')
    this.lastSliceAtMs = this.#context.runtime.now()
    const flight = this.#takeOff({ reconciles: false, untilMs: options.untilMs })
    endWith(flight, options.signal)
    return { isComplete: (await flight.outcome).rest === undefined }
  }

  /** When the next slice is due, for who calls `slice` himself. In the past where it is overdue, `undefined` where it never is. */
  async dueAtMs(stored: StoredReplication): Promise<number | undefined> {
    const { replication } = this
    const { settings, target } = this.#context
    if (this.#rest !== undefined) return this.#rest.counts.startedAtMs
    const { retry, jitter, instance } = settings
    this.#failures ??= loggedFailures(await target.ledger.readRuns({ name: replication.name, limit: retry.attempts })) ?? null
    const failures = this.#failures ?? undefined
    const { createdAtMs, lastSyncAtMs } = stored
    const random = hashUnit(`${instance} ${replication.name} ${lastSyncAtMs} ${failures?.lastAtMs}`)
    return nextDueAtMs({ schedule: replication.schedule, createdAtMs, lastSyncAtMs, failures, retry, jitter, random })
  }

  /** Waits for a call of `slice` at this time, as `status` shows it. */
  awaits(atMs: number | undefined): void {
    if (this.#isRetired || this.#wakeup !== undefined) return
    this.nextSyncAtMs = atMs
    this.#resting = 'waiting'
    if (this.#activity === 'stopped' || this.#activity === 'paused') this.#setActivity('waiting')
  }

  /** Sets the next wake-up; `lastSyncAtMs` as the target remembers it. Nothing after `retire`. */
  schedule(lastSyncAtMs: number | undefined): void {
    if (this.#isRetired) return
    this.#wakeup?.cancel()
    const { runtime, settings } = this.#context
    const nowMs = runtime.now()
    const delayMs = nextRunDelayMs(this.replication.schedule, { nowMs, lastSyncAtMs, random: runtime.random(), jitter: settings.jitter })
    this.nextSyncAtMs = delayMs === undefined ? undefined : nowMs + delayMs
    this.#resting = 'waiting'
    if (this.#activity !== 'failed') this.#setActivity('waiting')
    if (delayMs === undefined) return
    this.#wakeup = runtime.wakeAfter(`tidemark:replication:${this.replication.name}`, delayMs, () => this.#wake())
  }

  /** No further wake-ups; waits for the slice in flight and closes the source. */
  async stop(activity: 'stopped' | 'paused'): Promise<void> {
    this.#wakeup?.cancel()
    this.#wakeup = undefined
    this.#resting = activity
    this.nextSyncAtMs = undefined
    this.#flight?.controller.abort()
    await this.#flight?.outcome.catch(() => undefined)
    await this.#closeSource()
    this.#setActivity(activity)
  }

  /** Stops for good: whoever still holds this runner, because it waited meanwhile, can't wake it again. */
  async retire(): Promise<void> {
    this.#isRetired = true
    await this.stop('stopped')
  }

  async #wake(): Promise<void> {
    this.#wakeup = undefined
    // The outcome is in the log, the status and the events; a schedule has nobody to throw at.
    await this.sync().catch(() => undefined)
    if (this.#resting === 'waiting') this.schedule(this.#context.runtime.now())
  }

  #takeOff(plan: FlightPlan): Flight {
    const controller = new AbortController()
    const outcome = this.#inTurn(controller.signal, plan).finally(() => {
      this.#flight = undefined
    })
    // A run that nobody waits for any more must not become an unhandled rejection.
    outcome.catch(() => undefined)
    const flight = { controller, outcome, ...plan }
    this.#flight = flight
    this.#context.runtime.waitUntil(outcome)
    return flight
  }

  /** The run when its turn comes. One that is aborted before gives up its place at once: the turn may be hours away. */
  #inTurn(signal: AbortSignal, plan: FlightPlan): Promise<RunOutcome> {
    const turn = new AbortController()
    const work = this.#context.limit(() => {
      if (signal.aborted) throw new TidemarkError('ABORTED', 'The run was stopped before its turn.')
      signal.removeEventListener('abort', giveUp)
      return this.#run(signal, plan)
    })
    const giveUp = (): void => turn.abort()
    signal.addEventListener('abort', giveUp, { once: true })
    return abortable(work, turn.signal)
  }

  async #run(signal: AbortSignal, { reconciles, untilMs }: FlightPlan): Promise<RunOutcome> {
    const { replication } = this
    const { target, runtime, emitter, settings } = this.#context
    const startedAtMs = runtime.now()
    const rest = untilMs === undefined ? undefined : this.#rest
    this.#rest = undefined
    this.#setActivity('syncing')
    if (rest === undefined) emitter.emit('sync:start', { name: replication.name })
    try {
      const outcome = await syncRun({
        replication, target, runtime, emitter, signal, untilMs, rest,
        reconcile: reconciles,
        connectSource: () => this.#connectSource(signal),
        budget: settings.slice,
        retry: settings.retry,
        holder: settings.instance,
        pageSize: this.#pageSize,
        leaseTtlMs: settings.leaseTtlMs,
      })
      this.#rest = outcome.rest
      this.#failures = null
      if (outcome.rest === undefined) await this.#succeeded(outcome.result, { keepsConnection: untilMs === undefined && this.#keepsConnection() })
      return outcome
    } catch (error) {
      throw await this.#failed(toTidemarkError(error), runtime.now() - startedAtMs)
    }
  }

  async #succeeded(result: SyncResult, { keepsConnection }: { readonly keepsConnection: boolean }): Promise<void> {
    this.lastResult = result
    this.lastError = undefined
    await this.#log({ status: 'success', rows: result.rows, durationMs: result.durationMs })
    if (!keepsConnection) await this.#closeSource()
    this.#setActivity(this.#resting)
    this.#context.emitter.emit('sync:success', result)
  }

  async #failed(error: TidemarkError, durationMs: number): Promise<TidemarkError> {
    const { emitter, logger } = this.#context
    const { name } = this.replication
    await this.#closeSource()
    const isStopped = error.code === 'ABORTED'
    const isElsewhere = error.code === 'LEASE_HELD'
    if (!isStopped && !isElsewhere) {
      this.lastError = error.toJSON()
      this.#failures = failedAgain(this.#failures ?? undefined, error, this.#context.runtime.now())
      logger.error({ replication: name, code: error.code, detail: error.detail }, error.message)
      await this.#log({ status: 'error', rows: 0, durationMs, error }).catch((failure: unknown) => {
        logger.error({ replication: name, code: toTidemarkError(failure).code }, 'The run log could not be written.')
      })
    }
    this.#setActivity(isStopped || isElsewhere ? this.#resting : 'failed')
    if (isElsewhere) emitter.emit('sync:skipped', { name, error: error.toJSON() })
    else if (!isStopped) emitter.emit('sync:error', { name, error: error.toJSON(), durationMs })
    return error
  }

  #log(run: { readonly status: 'success' | 'error'; readonly rows: number; readonly durationMs: number; readonly error?: TidemarkError }): Promise<void> {
    const { target, runtime, settings } = this.#context
    const { status, rows, durationMs, error } = run
    const entry = { name: this.replication.name, status, rows, durationMs, errorCode: error?.code, errorMessage: error?.message, atMs: runtime.now() }
    return target.ledger.appendRun(entry, settings.logs)
  }

  async #connectSource(signal: AbortSignal): Promise<SourceConnection> {
    this.#source ??= await this.replication.source.connect({ signal })
    return this.#source
  }

  /** Only where a timer wakes it: an object that is called for each slice should be able to sleep until then. */
  #keepsConnection(): boolean {
    const { schedule } = this.replication
    return schedule.kind === 'interval' && schedule.everyMs <= KEEP_CONNECTION_MS && this.nextSyncAtMs !== undefined
  }

  async #closeSource(): Promise<void> {
    const source = this.#source
    this.#source = undefined
    await source?.[Symbol.asyncDispose]()
  }

  #setActivity(activity: Activity): void {
    if (this.#activity === activity) return
    this.#activity = activity
    this.#context.emitter.emit('status:change', { name: this.replication.name, activity })
  }
}

/** Whether who wants all of a run, and maybe a reconcile, gets it by waiting for this one. */
function givesAll(flight: Flight, reconcile: boolean): boolean {
  return !flight.controller.signal.aborted && flight.untilMs === undefined && (!reconcile || flight.reconciles)
}

function retired(name: string): TidemarkError {
  return new TidemarkError('ABORTED', `"${name}" was stopped, removed or configured anew.`)
}

/** Lets the signal end the flight. It may outlive thousands of them, so its listener goes when the flight ends. */
function endWith(flight: Flight, signal: AbortSignal | undefined): void {
  if (signal === undefined) return
  const abort = (): void => flight.controller.abort()
  signal.addEventListener('abort', abort, { once: true })
  flight.outcome.finally(() => signal.removeEventListener('abort', abort)).catch(() => undefined)
}
