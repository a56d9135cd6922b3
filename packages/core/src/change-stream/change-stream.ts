import type { ChangeBatch } from '../change/change-batch.ts'
import type { AnyChangeTables } from '../change/change-event.ts'
import type { LogMessage } from '../change/log-message.ts'
import type { ChangeSlice } from '../dialect/change-source.ts'
import type { AbortOptions } from '../dialect/source.ts'
import { TidemarkError, type ConfigIssue } from '../errors/tidemark-error.ts'
import { Emitter, type Unsubscribe } from '../events/emitter.ts'
import { ChangeFilters } from '../feed/change-filter.ts'
import { silentLogger } from '../log/logger.ts'
import { systemRuntime } from '../runtime/system-runtime.ts'
import { attach, type AttachRequest } from './attach.ts'
import type { ChangeStreamEvents } from './change-stream-events.ts'
import type { ChangeHandler, ChangeStreamOptions, LiveOptions, SubscribeOptions, Subscription, TableOf, Tables } from './change-stream-options.ts'
import { checkLive, checkSubscribe, resolveStreamSettings } from './change-stream-settings.ts'
import { runHandler } from './handler-loop.ts'
import { liveBatches, type LiveBatches } from './live-batches.ts'
import { SourceRunner } from './source-runner.ts'
import type { StreamContext } from './stream-context.ts'
import type { SourceStatus } from './stream-status.ts'
import { subscriptionOf } from './subscription.ts'
import type { Subscriber } from './subscriber.ts'

/**
 * Row changes of one or several databases, as typed events: whole transactions in commit order, at least once.
 *
 * A source is opened when it is first needed. Every method that waits takes a `signal`.
 *
 * `DB` is a Kysely database type; with it table names and rows are checked by the compiler.
 *
 * Errors: the constructor throws `CONFIG_INVALID` with every fault found; `subscribe` and `live` reject with `CONFIG_INVALID`,
 * `NAME_UNKNOWN` (source), `SUBSCRIBER_EXISTS`, `TABLE_UNKNOWN`, `CHECKPOINT_FOREIGN`, `CHANGE_GAP`, `LEASE_HELD` or the source's own.
 */
export class ChangeStream<DB = AnyChangeTables> implements AsyncDisposable {
  readonly #context: StreamContext
  readonly #runners: ReadonlyMap<string, SourceRunner>
  /** Ids in use, by a token of their own: a subscriber that goes late must not free the id of the next one. */
  readonly #ids = new Map<string, object>()
  #changeListeners = 0
  #lastLive = 0

  constructor(options: ChangeStreamOptions) {
    const settings = resolveStreamSettings(options)
    const logger = options.logger ?? silentLogger
    this.#context = {
      settings, logger,
      checkpoints: options.checkpoints,
      runtime: options.runtime ?? systemRuntime(),
      emitter: new Emitter((_error, event) => logger.warn({ event }, 'A listener failed.')),
      filters: new ChangeFilters(),
    }
    this.#runners = new Map(settings.sources.map((source) => [source.name, this.#runner(source)]))
  }

  /** Listens to one kind of event. A listener that throws breaks nothing. `change` comes while the source is open: see `start`. */
  on<Name extends keyof ChangeStreamEvents<DB>>(event: Name, listener: (payload: ChangeStreamEvents<DB>[Name]) => unknown): Unsubscribe {
    // Inside, events are of any table: the type that the caller gave its tables is a claim about the database.
    const unsubscribe = this.#context.emitter.on(event, listener as unknown as (payload: ChangeStreamEvents[Name]) => unknown)
    if (event !== 'change') return unsubscribe
    this.#listen(1)
    let isListening = true
    return () => {
      unsubscribe()
      if (isListening) this.#listen(-1)
      isListening = false
    }
  }

  /**
   * Gives batches to a handler, one at a time. Resolves once the subscriber has its place in the log: no later change is missed, and
   * a durable one's checkpoint is saved.
   */
  async subscribe<Table extends TableOf<DB> = TableOf<DB>>(
    options: SubscribeOptions<Tables<DB, Table>, Table>, handler: ChangeHandler<Tables<DB, Table>>,
  ): Promise<Subscription>
  async subscribe<Table extends TableOf<DB> = TableOf<DB>>(
    options: SubscribeOptions<Tables<DB, Table>, Table, LogMessage>, handler: ChangeHandler<Tables<DB, Table>, LogMessage>,
  ): Promise<Subscription>
  async subscribe(options: object, handler: unknown): Promise<Subscription> {
    if (typeof handler !== 'function') throw new TypeError('The handler must be a function.')
    const plain = options as SubscribeOptions<AnyChangeTables, string, LogMessage> // as in `on`
    const isDurable = plain.durable ?? true
    checkSubscribe(plain, [...this.#sourceIssues(plain.source), ...this.#storeIssues(isDurable, plain.from)])
    const { runner, subscriber } = await this.#attach({ id: plain.id, isDurable, selection: plain })
    const loop = runHandler(subscriber, {
      context: this.#context,
      handler: handler as ChangeHandler<AnyChangeTables, LogMessage>, // as in `on`
      retry: { ...this.#context.settings.retry, ...plain.retry },
      deadLetter: plain.onError === 'dead-letter' ? plain.deadLetter : undefined,
    })
    this.#context.runtime.waitUntil(loop)
    return subscriptionOf(subscriber, { loop, forget: () => runner.forget(subscriber.id) })
  }

  /**
   * Batches for a loop: `for await (const batch of stream.live({ tables: ['users'] }))`. Begins when the first batch is asked for, at
   * the log's end unless told otherwise. A loop that does not keep up is ended with `SUBSCRIBER_LAGGED`; nobody waits for it.
   */
  live<Table extends TableOf<DB> = TableOf<DB>>(options?: LiveOptions<Table>): LiveBatches<Tables<DB, Table>>
  live<Table extends TableOf<DB> = TableOf<DB>>(options: LiveOptions<Table, LogMessage>): LiveBatches<Tables<DB, Table>, LogMessage>
  live(options: LiveOptions<string, LogMessage> = {}): unknown {
    return liveBatches(async () => {
      checkLive(options, this.#sourceIssues(options.source))
      this.#lastLive += 1
      const { subscriber } = await this.#attach({ id: options.id ?? `live-${this.#lastLive}`, isDurable: false, selection: options })
      return subscriber
    }, options.signal)
  }

  /** Opens every source. Without it they are opened when somebody subscribes; listeners of `change` need it. Errors: the first that a source can't be opened for; the others run. */
  async start(options: AbortOptions = {}): Promise<void> {
    const outcomes = await Promise.allSettled([...this.#runners.values()].map((runner) => runner.open(options.signal)))
    const failure = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failure !== undefined) throw failure.reason
  }

  /** Ends every subscriber, waits for handlers in flight within `stopGraceMs`, closes the sources. Checkpoints stay. It may be used again. */
  async stop(): Promise<void> {
    await Promise.all([...this.#runners.values()].map((runner) => runner.close()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** Stops, and forgets all that is kept under the stream's name: checkpoints, and what the logs keep for them. Errors: `LEASE_HELD`. */
  async destroy(options: AbortOptions = {}): Promise<void> {
    await this.stop()
    try {
      for (const runner of this.#runners.values()) await runner.destroy(options.signal)
    } finally {
      await this.stop()
    }
  }

  /** Every source as it stands, with its subscribers and how far they are behind. */
  listSources(options: AbortOptions = {}): Promise<readonly SourceStatus[]> {
    return Promise.all([...this.#runners.values()].map((runner) => runner.status(options.signal)))
  }

  /** Errors: `NAME_UNKNOWN`. */
  async source(name: string, options: AbortOptions = {}): Promise<SourceStatus> {
    return this.#runnerOf(name).status(options.signal)
  }

  #runner(source: ConstructorParameters<typeof SourceRunner>[0]): SourceRunner {
    return new SourceRunner(source, this.#context, {
      isActive: () => this.#changeListeners > 0,
      onSlice: (slice, name) => this.#emitSlice(slice, name),
    })
  }

  async #attach(request: Omit<AttachRequest, 'onGone'>): Promise<{ readonly runner: SourceRunner; readonly subscriber: Subscriber }> {
    const { id, selection } = request
    const runner = this.#runnerOf(selection.source ?? [...this.#runners.keys()][0] ?? '')
    if (this.#ids.has(id)) throw new TidemarkError('SUBSCRIBER_EXISTS', `A subscriber "${id}" is at work already.`)
    const token = {}
    this.#ids.set(id, token)
    const onGone = (): void => {
      if (this.#ids.get(id) === token) this.#ids.delete(id)
    }
    return { runner, subscriber: await attach(runner, this.#context, { ...request, onGone }) }
  }

  #runnerOf(name: string): SourceRunner {
    const runner = this.#runners.get(name)
    if (runner === undefined) throw new TidemarkError('NAME_UNKNOWN', `No source is named "${name}".`)
    return runner
  }

  #sourceIssues(source: string | undefined): readonly ConfigIssue[] {
    return source === undefined && this.#runners.size > 1 ? [{ path: 'source', message: 'Must name one of the stream\'s sources.' }] : []
  }

  #storeIssues(isDurable: boolean, from: unknown): readonly ConfigIssue[] {
    if (!isDurable || from !== undefined || this.#context.checkpoints !== undefined) return []
    return [{ path: 'durable', message: 'Needs `checkpoints` on the stream, or `from` where the subscriber keeps its own; `durable: false` needs neither.' }]
  }

  #listen(change: 1 | -1): void {
    this.#changeListeners += change
    for (const runner of this.#runners.values()) runner.attend()
  }

  #emitSlice({ events, schemas }: ChangeSlice, source: string): void {
    const { emitter } = this.#context
    for (const schema of schemas) emitter.emit('schema', { ...schema, source })
    if (this.#changeListeners === 0) return
    for (const event of events) emitter.emit('change', event)
  }
}

/** A handler's batch, for its signature. */
export type BatchOf<DB, Table extends TableOf<DB> = TableOf<DB>> = ChangeBatch<Tables<DB, Table>>
