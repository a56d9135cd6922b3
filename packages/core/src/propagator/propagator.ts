import type { PropagationConnection } from '../dialect/propagation-target.ts'
import type { AbortOptions } from '../dialect/source.ts'
import { within } from '../engine/within.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import { Emitter, type Unsubscribe } from '../events/emitter.ts'
import { silentLogger } from '../log/logger.ts'
import { systemRuntime } from '../runtime/system-runtime.ts'
import { diagnoseTables, type PropagationFinding } from './diagnose-tables.ts'
import { kyselyNudge, type KyselyNudge } from './kysely-nudge.ts'
import { OpenLog } from './open-log.ts'
import { PeerRunner } from './peer-runner.ts'
import { consumerOf } from './peer-session.ts'
import type { PropagatorContext } from './propagator-context.ts'
import type { PropagatorEvents } from './propagator-events.ts'
import type { PropagatorOptions } from './propagator-options.ts'
import { receiverSettings } from './receive/receiver-options.ts'
import { resolvePropagatorSettings } from './propagator-settings.ts'
import type { PropagatorStatus } from './propagator-status.ts'

/** What keeps a host alive: `ctx` of a Worker's or a Durable Object's handler. */
export interface NudgeContext {
  waitUntil(work: Promise<unknown>): void
}

/** A statement that was run. Only that there was one matters: changes are taken from the log, never from SQL. */
export interface NudgeQuery {
  readonly sql: string
  readonly params?: readonly unknown[] | undefined
}

export interface FlushOptions extends AbortOptions {
  /** Ends it between two messages, in milliseconds from now. Default: no end. */
  readonly budgetMs?: number | undefined
}

/** What a flush came to. */
export interface FlushReport {
  /** Peers that have everything that was committed when the flush began. */
  readonly reached: readonly string[]
  /** The others. */
  readonly behind: readonly string[]
  /** When a peer that has failed may be tried again, in milliseconds since 1970; `undefined`: no need to. */
  readonly nextAtMs: number | undefined
}

interface Course {
  readonly log: OpenLog
  readonly controller: AbortController
  /** The work in the background, once it was started. */
  loops: Promise<unknown> | undefined
}

/**
 * Applies what is written here on peers, after it is committed and without the writer noticing: whole transactions, once and in order,
 * whatever is cut, killed or sent again. The log that the source keeps is the outbox; each peer has its own place in it.
 *
 * Errors: the constructor throws `CONFIG_INVALID` with every fault found, `NOT_SUPPORTED`; `start` and `flush` reject with `TABLE_UNKNOWN`,
 * `CLOSED` or the source's own. What goes wrong with a peer rejects nothing: see `status()` and the events.
 */
export class Propagator implements AsyncDisposable {
  readonly #source: PropagatorOptions['source']
  readonly #context: PropagatorContext
  readonly #runners: readonly PeerRunner[]
  readonly #rows: PropagationConnection | undefined
  /** Flushes under way, which `stop` waits for. */
  readonly #flushes = new Set<Promise<unknown>>()
  #opening: Promise<Course> | undefined
  #isRunning = false

  constructor(options: PropagatorOptions) {
    const settings = resolvePropagatorSettings(options)
    const logger = options.logger ?? silentLogger
    this.#source = options.source
    const runtime = options.runtime ?? systemRuntime()
    this.#rows = options.conflicts === undefined || options.conflicts === 'single-writer' ? undefined : options.target?.connect(receiverSettings({ ...options, runtime }))
    this.#context = {
      settings, logger, runtime,
      versions: this.#rows?.versions,
      emitter: new Emitter((_error, event) => logger.warn({ event }, 'A listener failed.')),
      deadLetter: options.deadLetter,
    }
    this.#runners = options.peers.map((peer) => new PeerRunner(peer, this.#context))
  }

  /** Listens to one kind of event. A listener that throws breaks nothing. */
  on<Name extends keyof PropagatorEvents>(event: Name, listener: (payload: PropagatorEvents[Name]) => unknown): Unsubscribe {
    return this.#context.emitter.on(event, listener)
  }

  /** Propagates until `stop`: at every write that the source notices, and at least every `pollIntervalMs` of the source. */
  async start(options: AbortOptions = {}): Promise<void> {
    const course = await this.#open(options)
    this.#isRunning = true
    course.loops ??= this.#run(course)
  }

  /**
   * Brings all peers up to what is committed now, side by side. Resolves when each has it or has failed: never rejects for a peer. Where nothing
   * runs in the background, this is what propagates; call it after writes, from an alarm or a cron trigger.
   */
  async flush({ signal, budgetMs }: FlushOptions = {}): Promise<FlushReport> {
    const { runtime } = this.#context
    const { log, controller } = await this.#open({ signal })
    const untilMs = budgetMs === undefined ? undefined : runtime.now() + budgetMs
    const ends = signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal])
    const passes = await Promise.allSettled(this.#runners.map((runner) => runner.pass(log, { signal: ends, untilMs })))
    const reached = this.#runners.filter((_, index) => passes[index]?.status === 'fulfilled' && passes[index].value)
    const behind = this.#runners.filter((runner) => !reached.includes(runner))
    return { reached: namesOf(reached), behind: namesOf(behind), nextAtMs: behind.length === 0 ? undefined : Math.max(runtime.now(), Math.min(...behind.map(({ life }) => life.retryAtMs))) }
  }

  /**
   * Says that something was written: returns at once. On hosts that end with the request, `ctx` keeps the flush alive; elsewhere `stop` waits for
   * it. Call it once the transaction is committed.
   */
  afterQuery(_query?: NudgeQuery, ctx?: NudgeContext): Promise<void> {
    if (this.#isRunning && ctx === undefined) {
      this.#ring()
      return Promise.resolve()
    }
    const flush = this.#tracked(this.flush())
    try {
      if (ctx === undefined) this.#context.runtime.waitUntil(flush)
      else ctx.waitUntil(flush)
    } catch {
      // Of a request that has ended: what was written is written, and the flush goes on for as long as the host lets it.
      this.#context.logger.warn({}, 'The host keeps nothing alive for a flush.')
    }
    return Promise.resolve()
  }

  /** For `db.withPlugin(...)` of Kysely: `afterQuery` after each statement that may have written. */
  kyselyPlugin(ctx?: NudgeContext): KyselyNudge {
    return kyselyNudge(() => void this.afterQuery(undefined, ctx))
  }

  /** Looks at the source's tables for what is wrong with propagating them, or will be. Asks no peer. Errors: the source's. */
  async doctor(options: AbortOptions = {}): Promise<readonly PropagationFinding[]> {
    const { log } = await this.#open(options)
    return diagnoseTables(await log.describe(), { isVersioned: this.#context.versions !== undefined })
  }

  /** As things stand, without asking anybody. */
  status(): PropagatorStatus {
    return { origin: this.#context.settings.origin, state: this.#isRunning ? 'running' : 'stopped', peers: this.#runners.map((runner) => runner.status()) }
  }

  /** Ends the work in the background once flushes under way are done, or `stopGraceMs` is over. May be started again. */
  async stop(): Promise<void> {
    this.#isRunning = false
    const { runtime, settings } = this.#context
    await within(runtime, settings.stopGraceMs, Promise.allSettled(this.#flushes))
    await this.#close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    await Promise.all(this.#runners.map(({ peer }) => peer.close()))
    await this.#rows?.[Symbol.asyncDispose]()
  }

  /** Forgets a peer's place, so that the log keeps nothing for it any more: for one that does not come back. */
  async forget(peer: string, options: AbortOptions = {}): Promise<void> {
    const { log } = await this.#open(options)
    await log.connection.release(consumerOf({ name: peer }), options)
  }

  #open({ signal }: AbortOptions): Promise<Course> {
    if (signal?.aborted === true) return Promise.reject(new TidemarkError('ABORTED', 'The operation was aborted.'))
    this.#opening ??= this.#begin().catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  async #begin(): Promise<Course> {
    const controller = new AbortController()
    const log = await OpenLog.open(this.#source, this.#context, controller.signal)
    return { log, controller, loops: undefined }
  }

  async #run({ log, controller: { signal } }: Course): Promise<void> {
    const unsubscribe = log.connection.onWake(() => this.#ring())
    await Promise.all(this.#runners.map((runner) => runner.run(log, { signal, pollIntervalMs: this.#source.pollIntervalMs })))
    unsubscribe()
  }

  #ring(): void {
    for (const runner of this.#runners) runner.ring()
  }

  async #close(): Promise<void> {
    const course = await this.#opening?.catch(() => undefined)
    this.#opening = undefined
    if (course === undefined) return
    course.controller.abort()
    await course.loops
    await Promise.all(this.#runners.map((runner) => runner.end()))
    await course.log[Symbol.asyncDispose]()
  }

  #tracked<T>(work: Promise<T>): Promise<void> {
    const done = work.then(() => undefined, (error: unknown) => {
      this.#context.logger.error({ code: error instanceof TidemarkError ? error.code : 'INTERNAL' }, 'A flush failed.')
    })
    this.#flushes.add(done)
    return done.finally(() => this.#flushes.delete(done))
  }
}

function namesOf(runners: readonly PeerRunner[]): readonly string[] {
  return runners.map(({ peer }) => peer.name)
}
