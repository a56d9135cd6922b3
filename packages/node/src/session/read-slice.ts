import { printPosition, type ChangeEvent, type ChangeSlice, type SchemaChange, type SliceLimit } from '@tidemark/core/adapter'
import type { DraftCursor } from './draft-cursor.ts'
import type { LoggedTransaction, LogPlace, SessionLog } from './session-log.ts'
import { toEvent } from './to-event.ts'

export interface SliceRequest {
  readonly log: SessionLog
  readonly sourceName: string
  readonly after: LogPlace
  /** The last transaction to read. */
  readonly through: number
  readonly limit: SliceLimit
}

/**
 * Whole transactions up to the limit, or the next part of one that does not fit into any. Errors: `VALUE_UNREPRESENTABLE` as soon as the
 * change comes next; whole transactions before it are given first.
 */
export function readSlice(request: SliceRequest): ChangeSlice {
  const slice = new SliceInProgress(request)
  for (const transaction of request.log.after(request.after)) {
    if (transaction.sequence > request.through) break
    if (!slice.add(transaction)) break
  }
  return slice.end()
}

class SliceInProgress {
  readonly #request: SliceRequest
  readonly #events: ChangeEvent[] = []
  readonly #schemas: SchemaChange[] = []
  #bytes = 0
  /** Behind the last whole transaction, or within one that is given in parts. */
  #place: LogPlace
  #isEmpty = true

  constructor(request: SliceRequest) {
    this.#request = request
    this.#place = request.after
  }

  /** `false`: the slice ends before the transaction, or within it. */
  add(transaction: LoggedTransaction): boolean {
    const { limit, log } = this.#request
    const count = transaction.changes?.count ?? 0
    // A change of columns takes effect before a slice, never within.
    const isApart = transaction.schemas.length > 0 && this.#events.length > 0
    if (isApart || (!this.#isEmpty && this.#events.length + count > limit.events)) return false
    const cursor = log.open(transaction, this.#place.skip)
    if (this.#isEmpty) return this.#addFirst(transaction, cursor)
    const start = { events: this.#events.length, bytes: this.#bytes }
    if (this.#fits(transaction, cursor)) {
      this.#schemas.push(...transaction.schemas)
      return this.#close(transaction)
    }
    this.#events.length = start.events
    this.#bytes = start.bytes
    return false
  }

  end(): ChangeSlice {
    const { after, log, through } = this.#request
    return {
      events: this.#events, schemas: this.#schemas, bytes: this.#bytes,
      isLast: this.#place.skip === 0 && !log.hasAfter(this.#place, through),
      begin: after.skip === 0, commit: this.#place.skip === 0, position: log.position(this.#place),
    }
  }

  #addFirst(transaction: LoggedTransaction, cursor: DraftCursor): boolean {
    const { log } = this.#request
    this.#isEmpty = false
    if (cursor.index === 0) this.#schemas.push(...transaction.schemas)
    this.#take(transaction, cursor)
    if (cursor.peek() === undefined) return this.#close(transaction)
    this.#place = { sequence: this.#place.sequence, skip: cursor.index }
    log.leaveOff(transaction, cursor)
    return false
  }

  #fits(transaction: LoggedTransaction, cursor: DraftCursor): boolean {
    try {
      this.#take(transaction, cursor)
      return cursor.peek() === undefined
    } catch {
      // It comes again as the first of the next slice, and its error with it.
      return false
    }
  }

  #close(transaction: LoggedTransaction): true {
    this.#place = { sequence: transaction.sequence, skip: 0 }
    return true
  }

  /** Up to the limit, one event at least in a slice that has none. */
  #take(transaction: LoggedTransaction, cursor: DraftCursor): void {
    const { limit, log, sourceName } = this.#request
    const { sequence, committedAtMs, origin, receivedAtMs } = transaction
    const position = log.position({ sequence, skip: 0 })
    const txId = printPosition(position)
    for (let draft = cursor.peek(); draft !== undefined; draft = cursor.peek()) {
      const isFull = this.#events.length >= limit.events || this.#bytes + draft.bytes > limit.bytes
      if (isFull && this.#events.length > 0) return
      const index = cursor.index
      cursor.take()
      const tx = { id: txId, sequence: index, last: cursor.peek() === undefined, committedAtMs, origin }
      this.#bytes += draft.bytes
      this.#events.push(toEvent(draft, { sourceName, position, receivedAtMs, tx, id: `${sourceName}:${txId}:${index}` }))
    }
  }
}
