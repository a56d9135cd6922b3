import type { LogItem } from '../replication-stream.ts'
import type { Lsn } from '../lsn.ts'
import type { OpenTransaction } from './open-transaction.ts'
import { messageAt } from './spool-block.ts'
import { copied, TableDescriptions, type DataItem } from './table-descriptions.ts'

const BEGIN = 0x42
const COMMIT = 0x43
const RELATION = 0x52
const BEGIN_BYTES = 21
const COMMIT_BYTES = 26

/** As a Stream Commit has it. */
export interface StreamCommit {
  readonly commitLsn: Lsn
  readonly endLsn: Lsn
  /** Microseconds since 2000. */
  readonly committedAt: bigint
}

/** A transaction that is committed, as protocol 1 would have sent it: without what it has taken back. */
export class Replay {
  readonly transaction: OpenTransaction
  readonly descriptions = new TableDescriptions()
  readonly #commit: StreamCommit
  readonly #queue: DataItem[]
  #block: Buffer | undefined
  #at = 0
  #hasEnded = false

  constructor(transaction: OpenTransaction, commit: StreamCommit) {
    this.transaction = transaction
    this.#commit = commit
    this.#queue = [beginOf(transaction.xid, commit)]
  }

  /** `undefined` when all of it has been given. */
  next(): LogItem | undefined {
    while (this.#queue.length === 0 && !this.#hasEnded) {
      const item = this.#block === undefined ? this.#nextBlock() : this.#nextMessage(this.#block)
      if (item !== undefined) return item
    }
    return this.#queue.shift()
  }

  /** Something to wait for, or the end, or nothing when a block is at hand. */
  #nextBlock(): LogItem | undefined {
    const block = this.transaction.shift()
    if (block instanceof Promise) return { kind: 'wait', wait: async () => this.#take(await block) }
    if (block !== undefined) return this.#take(block)
    this.#hasEnded = true
    return commitOf(this.#commit)
  }

  #take(block: Buffer): undefined {
    this.#block = block
    this.#at = 0
  }

  #nextMessage(bytes: Buffer): DataItem | undefined {
    if (this.#at >= bytes.length) {
      this.#block = undefined
      return undefined
    }
    const { xid, kind, from, to, arrival, next } = messageAt(bytes, this.#at)
    this.#at = next
    const isAborted = this.transaction.isAborted(xid)
    const item: DataItem = { kind: 'data', bytes, from, to }
    if (kind === RELATION) this.descriptions.note(copied(item), { arrival, isTold: !isAborted })
    return isAborted ? undefined : this.#withDescriptions(item)
  }

  #withDescriptions(item: DataItem): DataItem {
    const [first, ...others] = this.descriptions.before(item) ?? [item]
    this.#queue.push(...others)
    return first ?? item
  }
}

function beginOf(xid: number, { commitLsn, committedAt }: StreamCommit): DataItem {
  const bytes = Buffer.alloc(BEGIN_BYTES)
  bytes[0] = BEGIN
  bytes.writeBigUInt64BE(commitLsn, 1)
  bytes.writeBigInt64BE(committedAt, 9)
  bytes.writeUInt32BE(xid, 17)
  return { kind: 'data', bytes, from: 0, to: BEGIN_BYTES }
}

function commitOf({ commitLsn, endLsn, committedAt }: StreamCommit): DataItem {
  const bytes = Buffer.alloc(COMMIT_BYTES)
  bytes[0] = COMMIT
  bytes.writeBigUInt64BE(commitLsn, 2)
  bytes.writeBigUInt64BE(endLsn, 10)
  bytes.writeBigInt64BE(committedAt, 18)
  return { kind: 'data', bytes, from: 0, to: COMMIT_BYTES }
}
