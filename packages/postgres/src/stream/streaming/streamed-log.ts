import { TidemarkError } from '@tidemark/core/adapter'
import { MessageReader } from '../message-reader.ts'
import type { LogItem, LogItems } from '../replication-stream.ts'
import { undecodable } from '../undecodable.ts'
import type { OpenTransaction } from './open-transaction.ts'
import { Replay } from './replay.ts'
import type { StreamingSettings } from './streaming-settings.ts'
import { copied, TableDescriptions, type DataItem } from './table-descriptions.ts'
import { TransactionSpool } from './transaction-spool.ts'

const STREAM_START = 0x53
const STREAM_STOP = 0x45
const STREAM_COMMIT = 0x63
const STREAM_ABORT = 0x41
const ORIGIN = 0x4f
const RELATION = 0x52
/** Type, Insert, Update, Delete, Truncate, Message: with a transaction's number behind the kind, within a piece of one. */
const NUMBERED: ReadonlySet<number> = new Set([0x59, 0x49, 0x55, 0x44, 0x54, 0x4d, RELATION])

/**
 * Makes of a stream of protocol 2, which sends large transactions in pieces while they go on, what protocol 1 would have sent: each
 * transaction as a whole when it is committed, in the order of commits, without what was rolled back (manual, 55.5 and 55.9).
 *
 * Errors: `LOG_UNDECODABLE`, `SPOOL_FULL`, `SPOOL_FAILED`. It is of no use after one.
 */
export class StreamedLog implements LogItems {
  readonly #stream: LogItems
  readonly #spool: TransactionSpool
  readonly #reader = new MessageReader()
  readonly #descriptions = new TableDescriptions()
  #arrivals = 0
  /** The transaction of which a piece is being sent. */
  #piece: OpenTransaction | undefined
  #replay: Replay | undefined
  #queue: DataItem[] = []
  #work: Promise<void> | undefined
  #isClosed = false

  constructor(stream: LogItems, settings: StreamingSettings) {
    this.#stream = stream
    this.#spool = new TransactionSpool(settings)
  }

  next(): LogItem | undefined {
    if (this.#isClosed) throw new TidemarkError('CLOSED', 'The replication stream is closed.')
    for (;;) {
      const ready = this.#queue.shift() ?? this.#replayed()
      if (ready !== undefined) return ready.kind === 'wait' ? this.#waiting(ready.wait) : ready
      if (this.#spool.isDue) return this.#waiting(() => this.#spool.work())
      const item = this.#stream.next()
      if (item === undefined || item.kind !== 'data') return item
      const passed = this.#take(item)
      if (passed !== undefined) return passed
    }
  }

  /** Nothing of what was spooled is left. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#work?.catch(() => undefined) // whoever waits for it is told
    await this.#spool[Symbol.asyncDispose]()
  }

  #replayed(): LogItem | undefined {
    const replay = this.#replay
    if (replay === undefined) return undefined
    const item = replay.next()
    if (item !== undefined) return item
    this.#descriptions.merge(replay.descriptions)
    this.#spool.end(replay.transaction)
    this.#replay = undefined
    return undefined
  }

  #waiting(work: () => Promise<void>): LogItem {
    return {
      kind: 'wait',
      wait: () => {
        if (this.#isClosed) return Promise.reject(new TidemarkError('CLOSED', 'The replication stream is closed.'))
        this.#work = work()
        return this.#work
      },
    }
  }

  /** What is to be passed on of it now, if anything is. */
  #take(item: DataItem): DataItem | undefined {
    const reader = this.#reader
    reader.open(item.bytes, item.from, item.to)
    const kind = reader.byte()
    if (this.#piece !== undefined) return this.#takeWithin(this.#piece, kind, item)
    switch (kind) {
      case STREAM_START: return this.#start()
      case STREAM_COMMIT: return this.#commit()
      case STREAM_ABORT: return this.#abort()
      case RELATION: return this.#describe(item)
      default: return this.#pass(item)
    }
  }

  #takeWithin(piece: OpenTransaction, kind: number, { bytes, to }: DataItem): undefined {
    const reader = this.#reader
    if (kind === STREAM_STOP) {
      reader.close()
      this.#piece = undefined
      return
    }
    if (kind !== ORIGIN && !NUMBERED.has(kind)) throw undecodable(`has a message of an unknown kind within a piece of a transaction (${kind})`)
    // An origin is the whole transaction's.
    const xid = kind === ORIGIN ? piece.xid : reader.oid()
    const from = reader.at
    if (kind === RELATION) reader.oid() // is looked at before it is decoded
    this.#spool.add(piece, { xid, kind, bytes, from, to, arrival: kind === RELATION ? this.#arrivals++ : 0 })
  }

  #start(): undefined {
    const reader = this.#reader
    const xid = reader.oid()
    const flags = reader.byte()
    reader.close()
    if (flags > 1) throw undecodable('has a piece of a transaction with unknown flags')
    this.#piece = flags === 1 ? this.#spool.begin(xid) : this.#spool.get(xid)
  }

  #commit(): undefined {
    const reader = this.#reader
    const transaction = this.#spool.get(reader.oid())
    if (reader.byte() !== 0) throw undecodable('has a commit with unknown flags')
    const commit = { commitLsn: reader.lsn(), endLsn: reader.lsn(), committedAt: reader.int64() }
    reader.close()
    this.#replay = new Replay(transaction, commit)
  }

  #abort(): undefined {
    const xid = this.#reader.oid()
    const part = this.#reader.oid()
    this.#reader.close()
    this.#spool.abort(xid, part)
  }

  #describe(item: DataItem): DataItem {
    this.#reader.oid()
    this.#descriptions.note(copied(item), { arrival: this.#arrivals++, isTold: true })
    return item
  }

  #pass(item: DataItem): DataItem {
    const [first, ...others] = this.#descriptions.before(item) ?? [item]
    this.#queue.push(...others)
    return first ?? item
  }
}
