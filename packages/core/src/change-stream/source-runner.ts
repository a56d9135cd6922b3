import { printPosition, type LogPosition } from '../change/log-position.ts'
import type { ChangeConnection, ChangeSlice, ChangeSource } from '../dialect/change-source.ts'
import { within } from '../engine/within.ts'
import { TidemarkError, type ErrorReport } from '../errors/tidemark-error.ts'
import { toTidemarkError } from '../errors/to-tidemark-error.ts'
import { Feed, type FeedObserver } from '../feed/feed.ts'
import { abortable } from '../util/abortable.ts'
import type { SourceState } from './change-stream-events.ts'
import { checkpointKey } from './checkpoint-keeper.ts'
import { DurableGroup } from './durable-group.ts'
import { persist, report, type StreamContext } from './stream-context.ts'
import type { SourceStatus, SubscriberStatus } from './stream-status.ts'
import type { Subscriber } from './subscriber.ts'
import { Upkeep } from './upkeep.ts'

/** A source that is open. */
export interface OpenSource {
  readonly connection: ChangeConnection
  readonly feed: Feed
  readonly group: DurableGroup
  readonly signal: AbortSignal
}

interface Course extends OpenSource {
  readonly upkeep: Upkeep
  /** Reading and upkeep have ended. */
  readonly ended: Promise<void>
}

/** Listeners of the stream, who get what is read without being subscribers. */
export interface Taps {
  readonly isActive: () => boolean
  readonly onSlice: (slice: ChangeSlice, source: string) => void
}

/** One source of a stream: opened when first needed, read by one feed, closed with everything that depends on it. */
export class SourceRunner {
  readonly source: ChangeSource
  readonly #context: StreamContext
  readonly #taps: Taps
  readonly #subscribers = new Map<string, Subscriber>()
  #controller = new AbortController()
  #opening: Promise<Course> | undefined
  #course: Course | undefined
  #state: SourceState = 'stopped'
  #lastError: ErrorReport | undefined
  /** Whether it is open only to be forgotten: whoever read it then would have a log made again that is just being given up. */
  #isDestroying = false

  constructor(source: ChangeSource, context: StreamContext, taps: Taps) {
    this.source = source
    this.#context = context
    this.#taps = taps
  }

  get state(): SourceState {
    return this.#state
  }

  /** Opens the source, or joins whoever does. What is retryable is retried until the signal fires. */
  open(signal?: AbortSignal): Promise<OpenSource> {
    this.#opening ??= this.#open()
    return abortable(this.#opening, signal)
  }

  add(subscriber: Subscriber): void {
    this.#subscribers.set(subscriber.id, subscriber)
    this.attend()
  }

  remove(subscriber: Subscriber): void {
    if (this.#subscribers.get(subscriber.id) === subscriber) this.#subscribers.delete(subscriber.id)
    this.attend()
  }

  /** Reads ahead for those who have to be at the log's end, and where unread changes would pile up in the source. */
  attend(): void {
    const { rereads, resumes } = this.source.capabilities
    const isLive = [...this.#subscribers.values()].some((subscriber) => !subscriber.isDurable)
    const isDrained = !rereads && !resumes
    if (this.#course !== undefined) this.#course.feed.isEager = !this.#isDestroying && (isLive || isDrained || this.#taps.isActive())
  }

  /** Ends all that depends on the source, waits for it no longer than the grace, and closes it. */
  async close(error?: TidemarkError): Promise<void> {
    const { runtime, settings } = this.#context
    const { connecting, controller } = { connecting: this.#opening, controller: this.#controller }
    this.#opening = undefined
    this.#controller = new AbortController()
    // What is still being opened has nothing to wait for.
    if (this.#course === undefined) controller.abort()
    await Promise.all([...this.#subscribers.values()].map((subscriber) => subscriber.end(error)))
    controller.abort()
    const course = await connecting?.catch(() => undefined)
    if (this.#course === course) this.#course = undefined
    await course?.ended
    if (course !== undefined) await within(runtime, settings.stopGraceMs, dispose(course.connection))
    if (this.#opening === undefined) this.#setState(error === undefined ? 'stopped' : 'failed')
  }

  /** Forgets everything that is kept for this stream at the source. Errors: `LEASE_HELD`. */
  async destroy(signal?: AbortSignal): Promise<void> {
    this.#isDestroying = true
    try {
      const { group } = await this.open(signal)
      await group.destroy()
    } finally {
      this.#isDestroying = false
    }
  }

  /** Deletes a subscriber's checkpoint: the log waits for it no longer. */
  async forget(id: string): Promise<void> {
    const { checkpoints, settings } = this.#context
    await checkpoints?.delete(checkpointKey({ stream: settings.name, source: this.source.name, subscriber: id }))
    this.#course?.group.forget(id)
  }

  async status(signal?: AbortSignal): Promise<SourceStatus> {
    const { name, connector, address, capabilities } = this.source
    return {
      name, connector, address, capabilities,
      state: this.#state,
      head: await this.#head(signal),
      retention: this.#course?.upkeep.retention,
      lastError: this.#lastError,
      subscribers: await Promise.all([...this.#atWork(), ...this.#away()].map((entry) => this.#withLag(entry, signal))),
    }
  }

  async #open(): Promise<Course> {
    const { signal } = this.#controller
    this.#setState('connecting')
    try {
      const connection = await persist(this.#context, { source: this.source.name, signal }, () => this.source.connect({ signal }))
      return await this.#begin(connection, signal)
    } catch (error) {
      const failure = toTidemarkError(error)
      if (signal.aborted) throw failure
      this.#opening = undefined
      this.#failed(failure)
      throw failure
    }
  }

  async #begin(connection: ChangeConnection, signal: AbortSignal): Promise<Course> {
    const { runtime, settings } = this.#context
    const { name, capabilities: { rereads, resumes }, pollIntervalMs } = this.source
    try {
      const start = await persist(this.#context, { source: name, signal }, () => this.#start(connection, signal))
      const feed = new Feed({
        connection, rereads, resumes, pollIntervalMs, runtime, start,
        limit: settings.batch, bufferBytes: settings.bufferBytes, retry: settings.retry, observer: this.#observer(),
      })
      const group = new DurableGroup({ context: this.#context, source: name, connection, signal })
      const upkeep = new Upkeep({
        context: this.#context, source: name, connection, feed, group, signal,
        subscribers: () => this.#subscribers.values(), onLeaseLost: (error) => this.#endDurable(error),
      })
      const ended = Promise.all([this.#run(feed, signal), upkeep.run()]).then(() => undefined)
      this.#course = { connection, feed, group, signal, upkeep, ended }
      this.#setState('running')
      this.attend()
      return this.#course
    } catch (error) {
      await connection[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Where reading begins: at the end, unless the log is read only once and somebody still needs an earlier part of it. */
  async #start(connection: ChangeConnection, signal: AbortSignal): Promise<LogPosition> {
    const retained = this.source.capabilities.rereads ? undefined : await connection.retained(this.#context.settings.name, { signal })
    if (retained === undefined) return connection.head({ signal })
    try {
      await connection.verify(retained, { signal })
      return retained
    } catch (error) {
      // Whoever needed it is told when it comes with its checkpoint.
      if (error instanceof TidemarkError && (error.code === 'CHANGE_GAP' || error.code === 'CHECKPOINT_FOREIGN')) return connection.head({ signal })
      throw error
    }
  }

  async #run(feed: Feed, signal: AbortSignal): Promise<void> {
    await feed.run(signal)
    if (signal.aborted || feed.failure === undefined) return
    const { failure } = feed
    this.#failed(failure)
    // Not awaited: closing waits for this very run.
    this.#context.runtime.waitUntil(this.close(failure))
  }

  #observer(): FeedObserver {
    return {
      onSlice: (slice) => {
        this.#taps.onSlice(slice, this.source.name)
        this.#course?.upkeep.checkLive()
      },
      onRetry: (error, attempt, delayMs) => {
        this.#lastError = error.toJSON()
        this.#setState('reconnecting')
        report(this.#context, { source: this.source.name, subscriber: undefined, error, attempt, delayMs })
      },
      onRecover: () => {
        this.#lastError = undefined
        this.#setState('running')
      },
    }
  }

  #failed(error: TidemarkError): void {
    this.#lastError = error.toJSON()
    this.#setState('failed')
    report(this.#context, { source: this.source.name, subscriber: undefined, error, attempt: 1, delayMs: undefined })
  }

  #endDurable(error: TidemarkError): void {
    for (const subscriber of this.#subscribers.values()) if (subscriber.isDurable) void subscriber.end(error)
  }

  async #head(signal: AbortSignal | undefined): Promise<string | undefined> {
    const head = await this.#course?.connection.head({ signal }).catch(() => this.#course?.feed.position)
    return head === undefined ? undefined : printPosition(head)
  }

  #atWork(): readonly Place[] {
    return [...this.#subscribers.values()].map(({ id, state, isDurable, position }) => ({ id, state, durable: isDurable, at: position }))
  }

  #away(): readonly Place[] {
    const known = [...this.#course?.group.known ?? []]
    return known.filter(([id]) => !this.#subscribers.has(id)).map(([id, at]) => ({ id, state: 'away', durable: true, at }))
  }

  async #withLag({ at, ...rest }: Place, signal: AbortSignal | undefined): Promise<SubscriberStatus> {
    const lag = await this.#course?.connection.lag(at, { signal }).catch(() => undefined)
    return { ...rest, position: printPosition(at), lag }
  }

  #setState(state: SourceState): void {
    if (this.#state === state) return
    this.#state = state
    this.#context.emitter.emit('status', { kind: 'source', source: this.source.name, state })
  }
}

async function dispose(connection: ChangeConnection): Promise<void> {
  await connection[Symbol.asyncDispose]()
}

type Place = Omit<SubscriberStatus, 'position' | 'lag'> & { readonly at: LogPosition }
