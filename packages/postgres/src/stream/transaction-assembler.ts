import { printPosition, selects, type ChangeEvent, type ChangeSlice, type ChangeTransaction, type LogMessage, type MessageSelection, type SchemaChange, type SliceLimit } from '@tidemark/core/adapter'
import { deleteEvent, insertEvent, messageEvent, truncateEvent, updateEvent, type EventPlace } from './change-maker.ts'
import { partPosition, toPosition, type LogPlace } from './log-place.ts'
import { formatLsn, type Lsn } from './lsn.ts'
import type { BeginMessage, CommitMessage, LogicalMessage, OldKind, PgoutputHandler, StreamRow } from './pgoutput-messages.ts'
import type { StreamTable } from './stream-table.ts'
import { undecodable } from './undecodable.ts'

/** An event without its values: itself, its id, key, transaction and origin. */
const EVENT_BYTES = 600

export interface AssemblerOptions {
  readonly source: string
  readonly after: LogPlace
  /** Those that are wanted count as changes do. Default: none. */
  readonly messages?: MessageSelection | undefined
}

/** The transaction that is being read. */
interface Open {
  readonly begin: BeginMessage
  readonly id: string
  /** Of the places of its changes, printable. */
  readonly prefix: string
  /** Whether all of it was delivered before the place at which reading began. */
  readonly isPast: boolean
  /** Changes of it that were delivered already. */
  readonly past: number
  origin: string | undefined
  /** Changes seen of it. */
  count: number
}

type Draft = { -readonly [Key in keyof ChangeTransaction]: ChangeTransaction[Key] }

/**
 * Makes slices of what a stream tells: whole transactions, or parts of one that is larger than a slice may be. What it holds is bounded by
 * a slice and one change: whether a change is its transaction's last shows only with the next message.
 */
export class TransactionAssembler implements PgoutputHandler<StreamTable> {
  readonly #options: AssemblerOptions
  #events: (ChangeEvent | LogMessage)[] = []
  #hasMessages = false
  #bytes = 0
  /** How many of the events are of transactions that have ended, and what they take. */
  #whole = 0
  #wholeBytes = 0
  #schemas: SchemaChange[] = []
  /** Schema changes that come behind what is held. */
  #nextSchemas: SchemaChange[] = []
  #place: LogPlace
  #open: Open | undefined
  #last: Draft | undefined
  #isPart: boolean
  #isDue = false
  #messageBytes = 0
  #receivedAtMs = 0

  constructor(options: AssemblerOptions) {
    this.#options = options
    this.#place = options.after
    this.#isPart = options.after.delivered !== undefined
  }

  /** Where the next slice begins. */
  get place(): LogPlace {
    return this.#place
  }

  /** Whether a slice should be taken before another message is given. */
  isFull(limit: SliceLimit): boolean {
    return this.#isDue || this.#isOver(limit)
  }

  /** One change alone is never too much, however large: it could not be delivered before the message behind it. */
  #isOver({ events, bytes }: SliceLimit): boolean {
    return this.#events.length > events || (this.#bytes > bytes && this.#events.length > 1)
  }

  /** Says when what comes next was read. */
  readAt(nowMs: number): void {
    this.#receivedAtMs = nowMs
  }

  /** Says how long the message is that comes next. */
  measure(bytes: number): void {
    this.#messageBytes = bytes
  }

  begin(begin: BeginMessage): void {
    if (this.#open !== undefined) throw undecodable('has a transaction within a transaction')
    const { lsn, delivered } = this.#options.after
    this.#open = {
      begin, count: 0, origin: undefined,
      id: `${begin.xid}:${formatLsn(begin.finalLsn)}`,
      prefix: printPosition(toPosition({ epoch: this.#place.epoch, lsn: begin.finalLsn, delivered: undefined })),
      isPast: begin.finalLsn < lsn,
      past: begin.finalLsn === lsn ? delivered ?? 0 : 0,
    }
  }

  commit({ endLsn, commitLsn }: CommitMessage): void {
    const open = this.#required()
    if (commitLsn !== open.begin.finalLsn) throw undecodable('has a commit of another transaction than began')
    this.#open = undefined
    if (open.isPast) return
    if (this.#last !== undefined) this.#last.last = true
    this.#last = undefined
    this.#whole = this.#events.length
    this.#wholeBytes = this.#bytes
    this.#place = { epoch: this.#place.epoch, lsn: endLsn, delivered: undefined }
    // The rest of a transaction that came in parts is a slice of its own.
    if (this.#isPart) this.#isDue = true
  }

  /** The server has nothing left before this place. */
  reached(lsn: Lsn): void {
    if (this.#open !== undefined || this.#place.delivered !== undefined || lsn <= this.#place.lsn) return
    this.#place = { epoch: this.#place.epoch, lsn, delivered: undefined }
  }

  origin(name: string): void {
    this.#required().origin = name
  }

  /** A table has other columns from here on. */
  schema(change: SchemaChange): void {
    if (this.#events.length === 0) this.#schemas.push(change)
    else this.#nextSchemas.push(change)
    this.#isDue ||= this.#nextSchemas.length > 0
  }

  insert(table: StreamTable, after: StreamRow): void {
    const place = this.#nextOf(table)
    if (place !== undefined) this.#add(insertEvent(table, place, after))
  }

  update(table: StreamTable, rows: { readonly after: StreamRow; readonly before: StreamRow | undefined; readonly kind: OldKind | undefined }): void {
    const place = this.#nextOf(table)
    if (place !== undefined) this.#add(updateEvent(table, place, rows))
  }

  delete(table: StreamTable, before: StreamRow, kind: OldKind): void {
    const place = this.#nextOf(table)
    if (place !== undefined) this.#add(deleteEvent(table, place, { before, kind }))
  }

  truncate(tables: readonly StreamTable[]): void {
    for (const table of tables) {
      const place = this.#nextOf(table)
      if (place !== undefined) this.#add(truncateEvent(table, place))
    }
  }

  message(message: LogicalMessage): void {
    if (!selects(this.#options.messages, message.prefix)) return
    if (!message.isTransactional) return this.#alone(message)
    const place = this.#next()
    if (place !== undefined) this.#addMessage(messageEvent(place, message))
  }

  /** What there is to deliver: whole transactions first. `isLast`: nothing more has come from the server. */
  take(limit: SliceLimit, isLast: boolean): ChangeSlice {
    const isWithin = this.#open !== undefined && !this.#open.isPast
    if (this.#whole > 0 || (!isWithin && this.#place.delivered === undefined)) return this.#takeWhole(isLast)
    const count = this.#readyPart(limit)
    return this.#open === undefined || count === 0 ? this.#nothing(isLast) : this.#takePart(this.#open, count)
  }

  /** How much of the open transaction is delivered ahead of its end. */
  #readyPart(limit: SliceLimit): number {
    // New columns are told right before a change that has them: what is held is not the last.
    if (this.#nextSchemas.length > 0) return this.#events.length
    // One is kept back: it may be the last of its transaction.
    return this.#isOver(limit) ? this.#events.length - 1 : 0
  }

  #takeWhole(isLast: boolean): ChangeSlice {
    // Inside of a transaction the place is still that of the commit before it.
    const slice = this.#slice(this.#whole, { bytes: this.#wholeBytes, commit: true, isLast: isLast && this.#events.length === this.#whole })
    this.#isPart = false
    return slice
  }

  #takePart(open: Open, count: number): ChangeSlice {
    const kept = this.#events.length - count
    this.#place = { epoch: this.#place.epoch, lsn: open.begin.finalLsn, delivered: open.count - kept }
    const bytes = this.#events.length === 0 ? 0 : Math.round(this.#bytes * count / this.#events.length)
    const slice = this.#slice(count, { bytes, commit: false, isLast: false })
    this.#isPart = true
    return slice
  }

  #slice(count: number, { bytes, commit, isLast }: Pick<ChangeSlice, 'bytes' | 'commit' | 'isLast'>): ChangeSlice {
    const events = this.#events
    const rest = count === events.length ? [] : events.splice(count)
    const slice = { ...this.#divided(events), schemas: this.#schemas, begin: !this.#isPart, commit, position: toPosition(this.#place), bytes, isLast }
    this.#events = rest
    this.#bytes -= bytes
    this.#whole = 0
    this.#wholeBytes = 0
    // What is left of the events is of before the new columns: they wait for it too.
    const isReached = rest.length === 0
    this.#schemas = isReached ? this.#nextSchemas : []
    if (isReached) this.#nextSchemas = []
    this.#isDue = this.#nextSchemas.length > 0
    return slice
  }

  /** Rows apart from messages: most readers want no others. */
  #divided(all: (ChangeEvent | LogMessage)[]): Pick<ChangeSlice, 'events' | 'messages'> {
    // Nothing else was added.
    if (!this.#hasMessages) return { events: all as ChangeEvent[] }
    return { events: all.filter((event) => event.op !== 'message'), messages: all.filter((event) => event.op === 'message') }
  }

  #nothing(isLast: boolean): ChangeSlice {
    return { events: [], schemas: [], begin: !this.#isPart, commit: !this.#isPart, position: toPosition(this.#place), bytes: 0, isLast }
  }

  /** A message of no transaction is as one of its own: where its record ends, the log goes on, and the server forgets it when it is told so. */
  #alone(message: LogicalMessage): void {
    if (this.#open !== undefined) throw undecodable('has a message of no transaction within one')
    const { source, after } = this.#options
    const { lsn } = message
    // Everything up to a place, and with it, was delivered.
    if (lsn <= after.lsn) return
    this.#place = { epoch: this.#place.epoch, lsn, delivered: undefined }
    const tx: Draft = { id: `message:${formatLsn(lsn)}`, sequence: 0, last: true, committedAtMs: undefined, origin: undefined }
    this.#addMessage(messageEvent({ source, tx, receivedAtMs: this.#receivedAtMs, position: printPosition(toPosition(this.#place)) }, message))
    this.#whole = this.#events.length
    this.#wholeBytes = this.#bytes
  }

  #nextOf(table: StreamTable): EventPlace | undefined {
    return table.isCaptured ? this.#next() : void this.#required()
  }

  /** The place of the next event; `undefined` where nobody wants it. */
  #next(): EventPlace | undefined {
    const open = this.#required()
    if (open.isPast) return undefined
    const sequence = open.count
    open.count += 1
    if (sequence < open.past) return undefined
    const tx: Draft = { id: open.id, sequence, last: false, committedAtMs: open.begin.committedAtMs, origin: open.origin }
    this.#last = tx
    return { source: this.#options.source, tx, receivedAtMs: this.#receivedAtMs, position: partPosition(open.prefix, sequence) }
  }

  #addMessage(message: LogMessage): void {
    this.#hasMessages = true
    this.#add(message)
  }

  #add(event: ChangeEvent | LogMessage): void {
    this.#events.push(event)
    this.#bytes += EVENT_BYTES + this.#messageBytes
  }

  #required(): Open {
    if (this.#open === undefined) throw undecodable('has a change outside of a transaction')
    return this.#open
  }
}
