import type { SourceConnection } from '../dialect/source.ts'
import type { TargetConnection } from '../dialect/target.ts'
import { TidemarkError, type ErrorReport } from '../errors/tidemark-error.ts'
import { toTidemarkError } from '../errors/to-tidemark-error.ts'
import type { Emitter } from '../events/emitter.ts'
import type { Logger } from '../log/logger.ts'
import type { Runtime, Wakeup } from '../runtime/runtime.ts'
import { abortable } from '../util/abortable.ts'
import { PageSize } from '../util/page-size.ts'
import type { Activity, ReplicatorEvents, SyncResult } from './replicator-events.ts'
import type { ResolvedReplication } from './resolve-replication.ts'
import type { ReplicatorSettings } from './replicator-settings.ts'
import { nextRunDelayMs } from './schedule.ts'
import { syncRun } from './sync-run.ts'

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

interface Flight {
  readonly controller: AbortController
  readonly result: Promise<SyncResult>
  readonly reconciles: boolean
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
  lastResult: SyncResult | undefined
  lastError: ErrorReport | undefined
  nextSyncAtMs: number | undefined

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
    if (this.#isRetired) throw new TidemarkError('ABORTED', `"${this.replication.name}" was stopped, removed or configured anew.`)
    const reconcile = options.reconcile === true
    if (options.signal?.aborted === true) throw new TidemarkError('ABORTED', 'The sync was aborted before it began.')
    const current = this.#flight
    if (current !== undefined && (current.controller.signal.aborted || (reconcile && !current.reconciles))) {
      await abortable(current.result.catch(() => undefined), options.signal)
      return this.sync(options)
    }
    const flight = current ?? this.#takeOff(reconcile)
    // Only the caller who started the run ends it; one who joined just stops waiting.
    if (current === undefined) endWith(flight, options.signal)
    return abortable(flight.result, options.signal)
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
    await this.#flight?.result.catch(() => undefined)
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

  #takeOff(reconciles: boolean): Flight {
    const controller = new AbortController()
    const result = this.#inTurn(controller.signal, reconciles).finally(() => {
      this.#flight = undefined
    })
    // A run that nobody waits for any more must not become an unhandled rejection.
    result.catch(() => undefined)
    const flight = { controller, result, reconciles }
    this.#flight = flight
    this.#context.runtime.waitUntil(result)
    return flight
  }

  /** The run when its turn comes. One that is aborted before gives up its place at once: the turn may be hours away. */
  #inTurn(signal: AbortSignal, reconciles: boolean): Promise<SyncResult> {
    const turn = new AbortController()
    const work = this.#context.limit(() => {
      if (signal.aborted) throw new TidemarkError('ABORTED', 'The run was stopped before its turn.')
      signal.removeEventListener('abort', giveUp)
      return this.#run(signal, reconciles)
    })
    const giveUp = (): void => turn.abort()
    signal.addEventListener('abort', giveUp, { once: true })
    return abortable(work, turn.signal)
  }

  async #run(signal: AbortSignal, reconcile: boolean): Promise<SyncResult> {
    const { replication } = this
    const { target, runtime, emitter, settings } = this.#context
    const startedAtMs = runtime.now()
    this.#setActivity('syncing')
    emitter.emit('sync:start', { name: replication.name })
    try {
      const result = await syncRun({
        replication, target, runtime, emitter, signal, reconcile,
        connectSource: () => this.#connectSource(signal),
        budget: settings.slice,
        retry: settings.retry,
        holder: settings.instance,
        pageSize: this.#pageSize,
        leaseTtlMs: settings.leaseTtlMs,
      })
      await this.#succeeded(result)
      return result
    } catch (error) {
      throw await this.#failed(toTidemarkError(error), runtime.now() - startedAtMs)
    }
  }

  async #succeeded(result: SyncResult): Promise<void> {
    this.lastResult = result
    this.lastError = undefined
    await this.#log({ status: 'success', rows: result.rows, durationMs: result.durationMs })
    if (!this.#keepsConnection()) await this.#closeSource()
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

/** Lets the signal end the flight. It may outlive thousands of them, so its listener goes when the flight ends. */
function endWith(flight: Flight, signal: AbortSignal | undefined): void {
  if (signal === undefined) return
  const abort = (): void => flight.controller.abort()
  signal.addEventListener('abort', abort, { once: true })
  flight.result.finally(() => signal.removeEventListener('abort', abort)).catch(() => undefined)
}
