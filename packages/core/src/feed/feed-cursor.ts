import type { LogPosition } from '../change/log-position.ts'
import type { ChangeSlice } from '../dialect/change-source.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import { comparePositions, hasReached } from './compare-positions.ts'
import { cutSlice } from './cut-slice.ts'
import { isEmpty } from './is-empty.ts'
import type { Amount, RingEntry, RingSlice, SliceRing } from './slice-ring.ts'

/** What a cursor needs of its feed. */
export interface FeedView {
  readonly ring: SliceRing
  /** How far the log has been read. */
  readonly position: LogPosition
  /** Whether `position` is at a commit. */
  readonly isAtCommit: boolean
  /** The ring has everything after this. */
  readonly covered: LogPosition
  /** What has been read in all. */
  readonly total: Amount
  readonly rereads: boolean
  /** Resolves when the ring has got an entry; rejects when the feed has ended. */
  more(signal: AbortSignal): Promise<void>
  /** Reads the log for one cursor alone. */
  reread(request: { readonly after: LogPosition; readonly through: LogPosition | undefined; readonly signal: AbortSignal }): Promise<ChangeSlice>
  /** The cursor has moved on. */
  moved(): void
  forget(cursor: FeedCursor): void
}

export interface FeedCursorOptions {
  readonly after: LogPosition
  /** Whether changes that it has not had yet are kept for it where the log can't be read again. */
  readonly holds: boolean
  /** How far `after` lies behind what the feed has read, as far as that is known. */
  readonly behind?: Amount | undefined
}

export interface NextSliceRequest {
  /** Stop at this commit. */
  readonly through?: LogPosition | undefined
  readonly signal: AbortSignal
}

/** What to do for the next slice. */
type Step =
  | { readonly kind: 'take'; readonly slice: ChangeSlice; readonly index: number; readonly place: Amount }
  | { readonly kind: 'read'; readonly through: LogPosition | undefined }
  | { readonly kind: 'wait' }

/**
 * A reader's place in a feed. At the log's end it is served from the ring, by reference; behind that it reads the log on its own
 * until it is back, so that it is never in anybody's way.
 */
export class FeedCursor {
  readonly holds: boolean
  readonly #feed: FeedView
  #position: LogPosition
  /** Number of the ring's entry that comes next; `undefined` outside the ring. */
  #index: number | undefined
  /** Where it is in what the feed counts. */
  #place: Amount
  #isWaiting = false

  constructor(feed: FeedView, { after, holds, behind }: FeedCursorOptions) {
    this.#feed = feed
    this.#position = after
    this.holds = holds
    this.#place = { bytes: feed.total.bytes - (behind?.bytes ?? 0), events: feed.total.events - (behind?.events ?? 0) }
    this.#enter()
  }

  /** Everything up to here has been taken. Moves with the log where nothing is left to take. */
  get position(): LogPosition {
    return this.isAtEnd && this.#feed.isAtCommit ? this.#feed.position : this.#position
  }

  /** Where the slice ends that was taken last: where the log has gone on without a change does not count. */
  get taken(): LogPosition {
    return this.#position
  }

  /**
   * Where it stands while it waits at the log's end, which moves also when nothing comes; `undefined` otherwise. In particular as soon
   * as there is something: whoever asked for it may not have it yet, and must not be taken to be done with it. Nor inside of a
   * transaction, also one of which the reader gets nothing: that is no place to go on from.
   */
  get restingAt(): LogPosition | undefined {
    return this.#isWaiting && this.isAtEnd && this.#feed.isAtCommit ? this.position : undefined
  }

  /** Number of the entry that comes next; `undefined` outside the ring. */
  get index(): number | undefined {
    return this.#index
  }

  /** Whether everything that has been read is taken. */
  get isAtEnd(): boolean {
    return this.#index !== undefined && this.#index === this.#feed.ring.end
  }

  /** Whether what comes next is gone and can't be read again. */
  get isLost(): boolean {
    const { ring, rereads } = this.#feed
    return !rereads && this.#index !== undefined && this.#index < ring.first
  }

  /** How much it has left to take of what has been read. */
  get behind(): Amount {
    const { total } = this.#feed
    return { bytes: Math.max(0, total.bytes - this.#place.bytes), events: Math.max(0, total.events - this.#place.events) }
  }

  /**
   * The next slice, waiting for it. With `through`: `undefined` once that is reached. A slice may be empty where it was cut.
   * Errors: `CHANGE_GAP`, `SUBSCRIBER_LAGGED`, `ABORTED`, and the source's own.
   */
  async next(request: NextSliceRequest): Promise<ChangeSlice | undefined> {
    for (;;) {
      if (request.through !== undefined && hasReached(this.position, request.through)) return undefined
      const step = this.#step(request.through)
      switch (step.kind) {
        case 'take': return this.#take(step)
        case 'read': {
          const slice = await this.#read(step.through, request.signal)
          if (slice !== undefined) return slice
          break
        }
        case 'wait': await this.#wait(request.signal); break
        default: step satisfies never
      }
    }
  }

  /** The next slice without waiting, if it is of whole transactions under the same columns and within the limit. */
  takeReady({ bytes, events }: Amount): ChangeSlice | undefined {
    const entry = this.#index === undefined || this.isLost ? undefined : this.#feed.ring.at(this.#index)
    if (entry?.kind !== 'slice' || this.#index === undefined) return undefined
    const { slice } = entry
    if (!slice.begin || !slice.commit || slice.schemas.length > 0 || slice.bytes > bytes || slice.events.length > events) return undefined
    const step = this.#inRing(entry, { index: this.#index, through: undefined })
    return step.kind === 'take' ? this.#take(step) : undefined
  }

  /** Goes on from another place. */
  moveTo(position: LogPosition): void {
    this.#position = position
    this.#index = undefined
    this.#place = this.#feed.total
    this.#enter()
    this.#feed.moved()
  }

  /** Takes its place if it has come: called while it may not be asking, so that what it will ask for is not dropped before. */
  attach(): void {
    if (this.#index === undefined) this.#enter()
  }

  /** Leaves the ring, keeping its position: the feed is about to read from elsewhere. */
  detach(): void {
    this.#position = this.position
    this.#index = undefined
  }

  close(): void {
    this.#feed.forget(this)
  }

  #step(through: LogPosition | undefined): Step {
    if (this.isLost) throw new TidemarkError('SUBSCRIBER_LAGGED', 'The subscriber fell behind what the buffer holds.')
    if (this.#index !== undefined && this.#index < this.#feed.ring.first) this.#index = undefined
    if (this.#index === undefined) this.#enter()
    if (this.#index === undefined) return this.#outside(through)
    const entry = this.#feed.ring.at(this.#index)
    if (entry === undefined) return { kind: 'wait' }
    if (entry.kind === 'gap') throw entry.error
    return this.#inRing(entry, { index: this.#index, through })
  }

  /** The slice as far as it is wanted. Where the log can be read again, that gives a cleaner part than cutting does. */
  #inRing({ slice, after, start }: RingSlice, { index, through }: { readonly index: number; readonly through: LogPosition | undefined }): Step {
    const isBeyond = through !== undefined && comparePositions(slice.position, through) === 1
    if (isBeyond && this.#feed.rereads) return { kind: 'read', through }
    const isBehind = comparePositions(this.#position, after) === 1
    const end = { bytes: start.bytes + slice.bytes, events: start.events + slice.events.length }
    if (!isBeyond && !isBehind) return { kind: 'take', slice, index: index + 1, place: end }
    const part = cutSlice(slice, { after: isBehind ? this.#position : undefined, through: isBeyond ? through : undefined })
    return { kind: 'take', slice: part, index: isBeyond ? index : index + 1, place: isBeyond ? this.#place : end }
  }

  #outside(through: LogPosition | undefined): Step {
    // Ahead of the feed, because a snapshot was read after it: it comes by.
    const isAhead = comparePositions(this.#position, this.#feed.position) === 1
    if (this.#feed.rereads) return isAhead && through === undefined ? { kind: 'wait' } : { kind: 'read', through: through ?? this.#boundary() }
    if (isAhead) return { kind: 'wait' }
    throw new TidemarkError('CHANGE_GAP', 'The changes after the position are not kept any more, and this source can\'t read them again.')
  }

  /** The nearest place at which the ring can be entered. */
  #boundary(): LogPosition | undefined {
    const { ring, position, isAtCommit } = this.#feed
    const index = ring.find((entry) => entry.kind === 'slice' && entry.slice.begin && comparePositions(this.#position, entry.after) === -1)
    const entry = index === undefined ? undefined : ring.at(index)
    return entry?.after ?? (isAtCommit && comparePositions(this.#position, position) === -1 ? position : undefined)
  }

  #take({ slice, index, place }: Extract<Step, { readonly kind: 'take' }>): ChangeSlice {
    this.#index = index
    this.#position = slice.position
    this.#place = place
    this.#feed.moved()
    return slice
  }

  async #wait(signal: AbortSignal): Promise<void> {
    this.#isWaiting = true
    try {
      await this.#feed.more(signal)
    } finally {
      this.#isWaiting = false
    }
  }

  async #read(through: LogPosition | undefined, signal: AbortSignal): Promise<ChangeSlice | undefined> {
    const seen = this.#feed.ring.end
    this.#index = undefined
    const slice = await this.#feed.reread({ after: this.#position, through, signal })
    const hasNothing = isEmpty(slice)
    const isEnd = hasNothing && slice.isLast
    // Nothing up to the place asked for: that is where it stands now.
    this.#position = isEnd && through !== undefined && !hasReached(slice.position, through) ? through : slice.position
    this.#place = { bytes: this.#place.bytes + slice.bytes, events: this.#place.events + slice.events.length }
    // At the log's end without having met the feed: it has to read on before the two can meet.
    if (isEnd && through === undefined && this.#feed.ring.end === seen) await this.#feed.more(signal)
    return hasNothing ? undefined : slice
  }

  /**
   * Takes its place in the ring where it stands between two slices. Where slices are cut because the log can't be read again, within
   * one is good enough.
   */
  #enter(): void {
    const { ring, position, rereads, total } = this.#feed
    if (!this.#isCovered() || comparePositions(this.#position, position) === 1) return
    const index = ring.find((entry) => isNext(entry, this.#position)) ?? ring.end
    const entry = ring.at(index)
    // Where the log can be read again, a gap behind which it began may have spared it: it reads for itself.
    if (rereads && entry !== undefined && comparePositions(this.#position, entry.after) === 1) return
    this.#index = index
    this.#place = entry?.kind === 'slice' ? entry.start : total
  }

  #isCovered(): boolean {
    const { ring, covered } = this.#feed
    return hasReached(this.#position, covered) || ring.find((entry) => entry.kind === 'gap' && hasReached(this.#position, entry.resume)) !== undefined
  }
}

/** Whether the entry has something after the position. A gap has all up to where the log goes on, also for who began within it. */
function isNext(entry: RingEntry, position: LogPosition): boolean {
  if (entry.kind === 'slice') return comparePositions(position, entry.slice.position) === -1
  return !hasReached(position, entry.resume)
}
