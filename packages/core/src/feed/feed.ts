import type { LogPosition } from '../change/log-position.ts'
import type { ChangeConnection, ChangeSlice, SliceLimit } from '../dialect/change-source.ts'
import { withRetry } from '../engine/run-steps.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import { toTidemarkError } from '../errors/to-tidemark-error.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { abortable } from '../util/abortable.ts'
import type { BackoffOptions } from '../util/backoff.ts'
import { Bell } from './bell.ts'
import { Breather } from './breather.ts'
import { comparePositions } from './compare-positions.ts'
import { FeedCursor, type FeedCursorOptions, type FeedView } from './feed-cursor.ts'
import { isEmpty } from './is-empty.ts'
import { SliceRing, type Amount } from './slice-ring.ts'

/** Who wants to know what the feed does. Called in the reader's own turn: must be quick and must not throw. */
export interface FeedObserver {
  /** A slice was read; no cursor has it yet. */
  onSlice(slice: ChangeSlice): void
  /** The source has failed and is tried again. */
  onRetry(error: TidemarkError, attempt: number, delayMs: number): void
  /** The source answers again. */
  onRecover(): void
}

export interface FeedOptions {
  readonly connection: ChangeConnection
  /** As the source's capabilities say. */
  readonly rereads: boolean
  readonly resumes: boolean
  readonly pollIntervalMs: number
  /** Greatest slice that is read at once. */
  readonly limit: SliceLimit
  /** How much of what was read last is kept. */
  readonly bufferBytes: number
  readonly runtime: Runtime
  readonly retry: BackoffOptions
  readonly observer: FeedObserver
  /** Where the first read begins. */
  readonly start: LogPosition
}

/**
 * One log, read once for all of its readers. What was read last is kept in a ring; each reader has a {@link FeedCursor} of its own.
 *
 * Where the log can be read again, memory is bounded by the ring and one slice a reader, and a slow reader is in nobody's way. Where
 * not, the ring keeps what a cursor that `holds` still has to get, and reading waits for it; the other cursors lose their place.
 */
export class Feed implements FeedView {
  readonly ring = new SliceRing()
  readonly rereads: boolean
  readonly #options: FeedOptions
  readonly #cursors = new Set<FeedCursor>()
  readonly #breather: Breather
  /** The source may have changes. */
  readonly #wake = new Bell()
  /** A reader wants more than has been read. */
  readonly #demand = new Bell()
  #waiters: (() => void)[] = []
  #position: LogPosition
  #covered: LogPosition
  #isAtCommit = true
  #total: Amount = { bytes: 0, events: 0 }
  #failure: TidemarkError | undefined
  /** Counts the places read from: a read that was under way when it changed is of no use. */
  #course = 0
  #isEager = false
  #isFailing = false

  constructor(options: FeedOptions) {
    this.#options = options
    this.rereads = options.rereads
    this.#position = options.start
    this.#covered = options.start
    this.#breather = new Breather(options.runtime)
  }

  get position(): LogPosition {
    return this.#position
  }

  get covered(): LogPosition {
    return this.#covered
  }

  get isAtCommit(): boolean {
    return this.#isAtCommit
  }

  get total(): Amount {
    return this.#total
  }

  /** What ended it, other than its signal. */
  get failure(): TidemarkError | undefined {
    return this.#failure
  }

  /** Whether the log is read to its end even while no cursor asks for more. */
  set isEager(isEager: boolean) {
    this.#isEager = isEager
    this.#demand.ring()
  }

  /** Whether reading waits for a cursor that holds what the ring has. */
  get isFull(): boolean {
    return !this.rereads && this.ring.bytes > this.#options.bufferBytes && this.#heldFrom() < this.ring.end
  }

  /** A reader that goes on after a position which the source has verified. */
  cursor(options: FeedCursorOptions): FeedCursor {
    if (!this.rereads && this.#options.resumes && comparePositions(options.after, this.#covered) === -1) this.#readFrom(options.after)
    const cursor = new FeedCursor(this, options)
    this.#cursors.add(cursor)
    this.moved()
    return cursor
  }

  /** Reads until the signal fires; rejects never. What ends it otherwise is in `failure`, and every cursor learns of it. */
  async run(signal: AbortSignal): Promise<void> {
    const unsubscribe = this.#options.connection.onWake(() => this.#wake.ring())
    try {
      while (!signal.aborted) await this.#turn(signal)
    } catch (error) {
      if (!signal.aborted) this.#failure = toTidemarkError(error)
    } finally {
      unsubscribe()
      this.#failure ??= new TidemarkError('ABORTED', 'The stream was stopped.')
      this.#notify()
    }
  }

  /** Repeats what the source can't do just now, for ever: nothing is lost by waiting. */
  async retrying<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const { runtime, retry, observer } = this.#options
    const onRetry = (error: TidemarkError, attempt: number, delayMs: number): void => {
      this.#isFailing = true
      observer.onRetry(error, attempt, delayMs)
    }
    const result = await withRetry({ runtime, signal, retry: { ...retry, attempts: Infinity }, onRetry }, work)
    if (this.#isFailing) observer.onRecover()
    this.#isFailing = false
    return result
  }

  more(signal: AbortSignal): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const entry = new Promise<void>((resolve) => void this.#waiters.push(resolve))
    this.#demand.ring()
    return abortable(entry, signal).then(() => {
      if (this.#failure !== undefined) throw this.#failure
    })
  }

  async reread({ after, through, signal }: { readonly after: LogPosition; readonly through: LogPosition | undefined; readonly signal: AbortSignal }): Promise<ChangeSlice> {
    const { connection, limit } = this.#options
    await this.#breather.pause(signal)
    return this.retrying(signal, () => abortable(connection.readChanges({ after, through, limit, signal }), signal))
  }

  moved(): void {
    this.#trim()
    this.#demand.ring()
  }

  forget(cursor: FeedCursor): void {
    this.#cursors.delete(cursor)
    this.moved()
  }

  /** One look at the log, or a wait for a reason to look. */
  async #turn(signal: AbortSignal): Promise<void> {
    if (!this.#wantsMore()) return this.#demand.wait({ signal })
    const { pollIntervalMs, runtime } = this.#options
    const course = this.#course
    const slice = await this.#read(signal)
    if (slice === undefined || course !== this.#course) return
    this.#append(slice)
    await this.#breather.pause(signal)
    if (!slice.isLast) return
    await this.#wake.wait({ signal, timeout: { runtime, ms: pollIntervalMs } })
    this.#breather.rested()
  }

  /** `undefined` at a gap. A source may tell of one only once, so it is noted before anything else can fail. */
  async #read(signal: AbortSignal): Promise<ChangeSlice | undefined> {
    const { connection, limit } = this.#options
    try {
      return await this.retrying(signal, () => abortable(connection.readChanges({ after: this.#position, limit, signal }), signal))
    } catch (error) {
      if (!(error instanceof TidemarkError) || error.code !== 'CHANGE_GAP') throw error
      this.#appendGap(error, await this.retrying(signal, () => abortable(connection.head({ signal }), signal)))
      return undefined
    }
  }

  #append(slice: ChangeSlice): void {
    const after = this.#position
    const { bytes, events } = this.#total
    this.#position = slice.position
    this.#isAtCommit = slice.commit
    if (isEmpty(slice)) return this.#passed(after)
    this.#total = { bytes: bytes + slice.bytes, events: events + slice.events.length }
    this.ring.append({ kind: 'slice', after, slice, start: { bytes, events } })
    if (!this.rereads) for (const cursor of this.#cursors) cursor.attach()
    this.#options.observer.onSlice(slice)
    this.#trim()
    this.#notify()
  }

  /** The log has gone on without a change. Where it can't be read again a reader waits for that alone: a snapshot of a database at rest. */
  #passed(before: LogPosition): void {
    if (this.rereads || comparePositions(before, this.#position) === 0) return
    for (const cursor of this.#cursors) cursor.attach()
    this.#notify()
  }

  #appendGap(error: TidemarkError, resume: LogPosition): void {
    // The log was set back: what is kept, and where cursors stand, has no order with what comes.
    if (comparePositions(resume, this.#position) === -1) throw error
    this.ring.append({ kind: 'gap', after: this.#position, resume, error })
    this.#position = resume
    this.#isAtCommit = true
    this.#notify()
  }

  #notify(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
  }

  /**
   * Without an eager reader the log is read on when somebody has taken all there is: what is committed while handlers work then
   * comes as one slice, and a lone slow reader does not have the log read twice. Where that can't be and the log waits at the
   * source, a slice is read ahead of the handlers, and no more: what is pending costs no memory here.
   */
  #wantsMore(): boolean {
    if (this.isFull) return false
    if (this.#isEager || this.#waiters.length > 0) return true
    for (const cursor of this.#cursors) if (cursor.isAtEnd || this.#hasRoom(cursor)) return true
    return false
  }

  #hasRoom({ index, behind }: FeedCursor): boolean {
    const { limit, resumes } = this.#options
    return resumes && !this.rereads && index !== undefined && behind.bytes < limit.bytes
  }

  /** Number of the oldest entry that has to be kept. */
  #heldFrom(): number {
    let held = this.ring.end
    if (this.rereads) return held
    for (const { holds, index } of this.#cursors) if (holds && index !== undefined) held = Math.min(held, index)
    return held
  }

  #trim(): void {
    const { bufferBytes } = this.#options
    // The newest stays in any case: however large, it was read to be delivered.
    const last = Math.min(this.#heldFrom(), this.ring.end - 1)
    while (this.ring.bytes > bufferBytes && this.ring.first < last) {
      const dropped = this.ring.dropOldest()
      if (dropped !== undefined) this.#covered = dropped.kind === 'slice' ? dropped.slice.position : dropped.resume
    }
  }

  #readFrom(position: LogPosition): void {
    for (const cursor of this.#cursors) cursor.detach()
    this.ring.clear()
    this.#course += 1
    this.#position = position
    this.#covered = position
    this.#isAtCommit = true
    this.#wake.ring()
  }
}
