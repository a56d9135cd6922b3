import type { ChangeBatch } from '../change/change-batch.ts'
import { encodeCheckpoint, type ChangeCheckpoint, type CheckpointState } from '../change/change-checkpoint.ts'
import type { AnyChangeTables } from '../change/change-event.ts'
import type { LogMessage } from '../change/log-message.ts'
import type { LogPosition } from '../change/log-position.ts'
import { within } from '../engine/within.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import { toTidemarkError } from '../errors/to-tidemark-error.ts'
import type { FeedCursor } from '../feed/feed-cursor.ts'
import type { Amount } from '../feed/slice-ring.ts'
import type { BatchReader, Delivery } from './batch-reader.ts'
import { LagWatch, type LagBudget } from './lag-watch.ts'
import { report, type StreamContext } from './stream-context.ts'
import { isOver, mayFollow, type SubscriberState } from './subscriber-life.ts'

/** Also for those who asked for no messages: they get none. */
export type AnyBatch = ChangeBatch<AnyChangeTables, LogMessage>

export interface SubscriberOptions {
  readonly context: StreamContext
  readonly id: string
  readonly source: string
  readonly isDurable: boolean
  readonly reader: BatchReader
  readonly cursor: FeedCursor
  readonly controller: AbortController
  readonly budget: LagBudget
  readonly onGap: 'fail' | 'resnapshot'
  /** The log's end, to begin anew from after a gap. */
  readonly head: () => Promise<LogPosition>
  /** Whether the subscriber keeps its checkpoints itself: it then gets those that come without events too. */
  readonly keepsOwn: boolean
  /** Makes a state durable. Nothing to do for a live one. */
  readonly save: (state: CheckpointState) => Promise<void>
  /** Called once, when it is over. */
  readonly onEnd: () => Promise<void>
}

/** One subscriber, whoever takes its batches: a handler or a loop of the application. */
export class Subscriber {
  readonly id: string
  readonly source: string
  readonly isDurable: boolean
  readonly #options: SubscriberOptions
  readonly #watch: LagWatch
  #state: SubscriberState = 'starting'
  #error: TidemarkError | undefined
  #ending: Promise<void> | undefined
  #isHolding = false
  /** What a handler is at. */
  #work: Promise<void> = Promise.resolve()
  #isAbandoned = false
  /** Resolves when it is over. */
  readonly ended: Promise<void>
  #markEnded: () => void = () => undefined

  constructor(options: SubscriberOptions) {
    this.id = options.id
    this.source = options.source
    this.isDurable = options.isDurable
    this.#options = options
    this.#watch = new LagWatch(options.budget)
    this.ended = new Promise((resolve) => { this.#markEnded = resolve })
    this.begin()
  }

  get state(): SubscriberState {
    return this.#state
  }

  /** What ended it; `undefined` while it is at work, and when it was stopped. */
  get error(): TidemarkError | undefined {
    return this.#error
  }

  get signal(): AbortSignal {
    return this.#options.controller.signal
  }

  get isOver(): boolean {
    return isOver(this.#state)
  }

  /** Where it would go on now. */
  get checkpoint(): ChangeCheckpoint {
    return encodeCheckpoint(this.#options.reader.state)
  }

  get position(): LogPosition {
    return this.#options.reader.state.position
  }

  get behind(): Amount {
    return this.#options.cursor.behind
  }

  /** Back from a handler's failure, or from a snapshot. */
  begin(): void {
    this.#setState(this.#options.reader.isSnapshot ? 'snapshot' : 'streaming')
  }

  retrying(): void {
    this.#setState('retrying')
  }

  /** The next batch; asking for it acknowledges the one before. Errors: what ended the subscriber, `ABORTED` when it was stopped. */
  async next(): Promise<AnyBatch> {
    const { reader } = this.#options
    // First, also when it is over meanwhile: whoever asks for more is done with what it had.
    reader.acknowledge()
    for (;;) {
      this.#throwIfOver()
      try {
        const delivery = await reader.next(this.signal)
        this.#throwIfOver()
        this.begin()
        if (!delivery.isMark || this.#options.keepsOwn) return this.#batchOf(delivery)
        await this.acknowledge()
      } catch (error) {
        this.#throwIfOver()
        await this.#afterGap(toTidemarkError(error))
      }
    }
  }

  /** The batch taken last is done with: its checkpoint is saved. Errors: `STATE_CONFLICT`, the store's own. */
  async acknowledge(): Promise<void> {
    this.#options.reader.acknowledge()
    await this.flush()
  }

  /** Saves how far it is, where that has moved: a filter may have let nothing through for long. */
  async flush(): Promise<void> {
    if (this.#error === undefined && !this.#isAbandoned) await this.#options.save(this.#options.reader.state)
  }

  /** Notes what has to come to its end before the subscriber does. */
  during(work: Promise<void>): Promise<void> {
    this.#work = work
    return work
  }

  /** Looks after the back-pressure; called often. Closes a live subscriber that does not keep up. */
  checkLag(nowMs: number): void {
    if (this.isOver) return
    const { behind } = this
    const isOver = this.#watch.observe(behind, nowMs)
    if (this.isDurable) return this.#noteHolding(behind)
    if (!isOver && !this.#options.cursor.isLost) return
    this.#emitLag(behind, 'close')
    void this.end(new TidemarkError('SUBSCRIBER_LAGGED', `The subscriber "${this.id}" did not keep up with the source "${this.source}".`))
  }

  /** Ends it, for good, and waits for the work in flight, within bounds. Called again it changes nothing. */
  end(error?: TidemarkError): Promise<void> {
    this.#ending ??= this.#end(error)
    return this.#ending
  }

  /** The error to tell whoever takes its batches. A live one can go on from the checkpoint in `detail`. */
  get outcome(): TidemarkError {
    if (this.#error === undefined) return new TidemarkError('ABORTED', 'The subscriber was stopped.')
    const { code, message, cause } = this.#error
    return code === 'SUBSCRIBER_LAGGED' ? new TidemarkError(code, message, { cause, detail: this.checkpoint }) : this.#error
  }

  async #end(error: TidemarkError | undefined): Promise<void> {
    const { context, cursor, controller, onEnd } = this.#options
    this.#error = error
    this.#setState(error === undefined ? 'stopped' : 'failed')
    if (error !== undefined) report(context, { source: this.source, subscriber: this.id, error, attempt: 1, delayMs: undefined })
    controller.abort()
    cursor.close()
    const { runtime, settings: { stopGraceMs } } = context
    await within(runtime, stopGraceMs, this.#work)
    this.#isAbandoned = true
    await within(runtime, stopGraceMs, onEnd())
    this.#markEnded()
  }

  #batchOf({ events, schemas, begin, state }: Delivery): AnyBatch {
    const checkpoint = state === undefined ? null : encodeCheckpoint(state)
    return { events, schemas, begin, commit: state !== undefined, checkpoint, signal: this.signal }
  }

  async #afterGap(error: TidemarkError): Promise<void> {
    const { context, onGap, head, reader } = this.#options
    if (error.code !== 'CHANGE_GAP') throw error
    context.emitter.emit('gap', { source: this.source, subscriber: this.id, error: error.toJSON(), action: onGap })
    if (onGap === 'fail') throw error
    reader.restart(await head())
    await this.flush()
    this.begin()
  }

  #throwIfOver(): void {
    if (this.isOver || this.signal.aborted) throw this.outcome
  }

  #noteHolding(behind: Amount): void {
    if (this.#watch.isOver && !this.#isHolding) this.#emitLag(behind, 'pause')
    this.#isHolding = this.#watch.isOver
  }

  #emitLag({ bytes, events }: Amount, action: 'pause' | 'close'): void {
    this.#options.context.emitter.emit('lag', { source: this.source, subscriber: this.id, bufferedBytes: bytes, bufferedEvents: events, action })
  }

  #setState(state: SubscriberState): void {
    if (state === this.#state || !mayFollow(this.#state, state)) return
    this.#state = state
    this.#options.context.emitter.emit('status', { kind: 'subscriber', source: this.source, subscriber: this.id, state })
  }
}
