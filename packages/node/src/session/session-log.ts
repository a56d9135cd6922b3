import { fromSequence, toSequence, TidemarkError, type ChangeLag, type LogPosition, type SchemaChange } from '@tidemark/core/adapter'
import { gapError, type GapReason } from './gap.ts'
import { DraftCursor } from './draft-cursor.ts'
import type { RecordedChanges } from './recorded-changes.ts'

/** A committed transaction, waiting to be read. */
export interface LoggedTransaction {
  readonly sequence: number
  /** `undefined` where only tables changed. */
  readonly changes: RecordedChanges | undefined
  readonly schemas: readonly SchemaChange[]
  /** Known only where it was written through the wrapper. */
  readonly committedAtMs: number | undefined
  readonly receivedAtMs: number
  readonly origin: string | undefined
}

/** A place in the log: behind a transaction, and so many events into the next. */
export interface LogPlace {
  readonly sequence: number
  readonly skip: number
}

export interface SessionLogOptions {
  /** Which log this is: random for each source. */
  readonly epoch: string
  /** Which database it is of: the same after a restart. */
  readonly database: string
  readonly maxBytes: number
}

/** How epochs of such logs begin: by it a position of an earlier process is told from one of another kind of log. */
export const EPOCH_PREFIX = 'session-'
const SKIP_SEPARATOR = '+'
/** Which part of `maxBytes` is kept of what has been read already. */
const HISTORY = 0.125

/** The log of one source, in memory and bounded by bytes. Positions only grow; a gap is a floor below which nothing can be read. */
export class SessionLog {
  readonly #options: SessionLogOptions
  #transactions: LoggedTransaction[] = []
  /** Transactions in front that were let go of; they leave the array now and then, all at once. */
  #start = 0
  #bytes = 0
  #head = 0
  #floor = 0
  #floorReason: GapReason = 'already-read'
  /** Up to here a reader has read; what is behind is kept for those who are durable further back. */
  #read = 0
  #leftOff: { readonly transaction: LoggedTransaction; readonly cursor: DraftCursor } | undefined
  readonly #consumers = new Map<string, { readonly sequence: number; readonly position: LogPosition }>()

  constructor(options: SessionLogOptions) {
    this.#options = options
  }

  get head(): LogPosition {
    return this.position({ sequence: this.#head, skip: 0 })
  }

  get epoch(): string {
    return this.#options.epoch
  }

  append(transaction: Omit<LoggedTransaction, 'sequence'>): void {
    const bytes = bytesOf(transaction)
    this.#head += 1
    this.#letGo(this.#read, this.#options.maxBytes - bytes)
    if (this.#bytes + bytes > this.#options.maxBytes) {
      this.#raiseFloor(this.#head, 'overflow')
      return
    }
    this.#transactions.push({ ...transaction, sequence: this.#head })
    this.#bytes += bytes
  }

  /** Everybody who is not told yet will be, those at the very end too. */
  addGap(reason: GapReason): void {
    this.#head += 1
    this.#raiseFloor(this.#head, reason)
  }

  /**
   * A reader is at the place. A little of what is behind it stays, so that one that has to begin again in this process can; so does what a
   * consumer has still to acknowledge, as long as there is room.
   */
  noteRead(place: LogPlace): void {
    this.#read = Math.max(this.#read, place.sequence)
    this.#tidy()
  }

  /** Errors: `CHECKPOINT_FOREIGN`, `CHANGE_GAP` for another epoch. */
  retain(consumer: string, position: LogPosition): void {
    const { sequence } = this.#parse(position)
    this.#consumers.set(consumer, { sequence, position })
    this.#tidy()
  }

  release(consumer: string): void {
    this.#consumers.delete(consumer)
    this.#tidy()
  }

  retained(consumer: string): LogPosition | undefined {
    return this.#consumers.get(consumer)?.position
  }

  /** Unknown for a position that can't be read from. */
  lag(position: LogPosition, nowMs: number): ChangeLag {
    const place = this.#parse(position)
    if (place.sequence < this.#floor) return { events: undefined, bytes: undefined, ms: undefined }
    let events = 0
    let bytes = 0
    let oldestMs: number | undefined
    for (const transaction of this.after(place)) {
      events += transaction.changes?.count ?? 0
      bytes += bytesOf(transaction)
      oldestMs ??= transaction.committedAtMs ?? transaction.receivedAtMs
    }
    return { events, bytes, ms: oldestMs === undefined ? 0 : Math.max(0, nowMs - oldestMs) }
  }

  /** The transactions behind the place, oldest first. */
  *after(place: LogPlace): Iterable<LoggedTransaction> {
    for (let index = this.#indexAfter(place.sequence); index < this.#transactions.length; index += 1) {
      const transaction = this.#transactions[index]
      if (transaction !== undefined) yield transaction
    }
  }

  hasAfter(place: LogPlace, through: number): boolean {
    const next = this.#transactions[this.#indexAfter(place.sequence)]
    return next !== undefined && next.sequence <= through
  }

  /** The transaction's changes from the event `skip` on. The one that was left off last goes on without decoding from the start. */
  open(transaction: LoggedTransaction, skip: number): DraftCursor {
    const left = this.#leftOff
    this.#leftOff = undefined
    if (left !== undefined && left.transaction === transaction && left.cursor.index === skip) return left.cursor
    const cursor = new DraftCursor(transaction.changes)
    while (cursor.index < skip && cursor.take() !== undefined) continue
    return cursor
  }

  leaveOff(transaction: LoggedTransaction, cursor: DraftCursor): void {
    this.#leftOff = { transaction, cursor }
  }

  position({ sequence, skip }: LogPlace): LogPosition {
    const { epoch, database } = this.#options
    return { epoch, sequence: toSequence(sequence), detail: skip === 0 ? database : `${database}${SKIP_SEPARATOR}${skip}` }
  }

  /** Errors: `CHANGE_GAP`, `CHECKPOINT_FOREIGN`. */
  place(position: LogPosition): LogPlace {
    const place = this.#parse(position)
    if (place.sequence < this.#floor) throw gapError(this.#floorReason)
    return place
  }

  #parse(position: LogPosition): LogPlace {
    const { epoch, database } = this.#options
    const [of, skip = '0'] = position.detail.split(SKIP_SEPARATOR)
    if (position.epoch !== epoch) throw of === database && position.epoch.startsWith(EPOCH_PREFIX) ? gapError('earlier-process') : foreign()
    const sequence = numberOf(position)
    if (sequence > this.#head || !/^\d{1,15}$/.test(skip)) throw foreign()
    return { sequence, skip: Number(skip) }
  }

  #indexAfter(sequence: number): number {
    let low = this.#start
    let high = this.#transactions.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#transactions[middle]?.sequence ?? 0) > sequence) high = middle
      else low = middle + 1
    }
    return low
  }

  #tidy(): void {
    let unneeded = this.#read
    for (const { sequence } of this.#consumers.values()) unneeded = Math.min(unneeded, sequence)
    this.#letGo(unneeded, this.#options.maxBytes * HISTORY)
  }

  /** The oldest up to a sequence, until no more than `bytes` are left. */
  #letGo(sequence: number, bytes: number): void {
    const first = this.#start
    while (this.#bytes > bytes) {
      const oldest = this.#transactions[this.#start]
      if (oldest === undefined || oldest.sequence > sequence) break
      this.#transactions[this.#start] = EMPTY
      this.#start += 1
      this.#bytes -= bytesOf(oldest)
      this.#floor = oldest.sequence
      this.#floorReason = 'already-read'
    }
    if (this.#start === first || this.#start * 2 < this.#transactions.length) return
    this.#transactions = this.#transactions.slice(this.#start)
    this.#start = 0
  }

  #raiseFloor(sequence: number, reason: GapReason): void {
    this.#transactions = []
    this.#start = 0
    this.#bytes = 0
    this.#floor = sequence
    this.#floorReason = reason
  }
}

/** In the place of what was let go of. Its sequence is never looked at. */
const EMPTY: LoggedTransaction = {
  sequence: 0, changes: undefined, schemas: [], committedAtMs: undefined, receivedAtMs: 0, origin: undefined,
}

const SCHEMA_BYTES = 2_000

function bytesOf({ changes, schemas }: Pick<LoggedTransaction, 'changes' | 'schemas'>): number {
  return (changes?.bytes ?? 0) + schemas.length * SCHEMA_BYTES
}

function numberOf(position: LogPosition): number {
  try {
    return Number(fromSequence(position.sequence))
  } catch {
    throw foreign()
  }
}

function foreign(): TidemarkError {
  return new TidemarkError('CHECKPOINT_FOREIGN', 'The position is not one of this log.')
}
