import { TidemarkError } from '@tidemark/core/adapter'
import { undecodable } from '../undecodable.ts'
import { OpenTransaction } from './open-transaction.ts'
import type { SpooledMessage } from './spool-block.ts'
import type { StreamingSettings } from './streaming-settings.ts'

/** Transactions that have not ended, bounded: in memory first, and in the application's spool beyond that. */
export class TransactionSpool {
  readonly #settings: StreamingSettings
  readonly #open = new Map<number, OpenTransaction>()
  /** Have ended, and are to be disposed of. */
  #ended: OpenTransaction[] = []
  #memoryBytes = 0

  constructor(settings: StreamingSettings) {
    this.#settings = settings
  }

  /** Whether `work` has to be done before anything more is added. */
  get isDue(): boolean {
    return this.#memoryBytes > this.#settings.memoryBytes || this.#ended.length > 0
  }

  begin(xid: number): OpenTransaction {
    if (this.#open.has(xid)) throw undecodable('begins a transaction that is open')
    const transaction = new OpenTransaction(xid)
    this.#open.set(xid, transaction)
    return transaction
  }

  /** Errors: `LOG_UNDECODABLE` for one that has not begun. */
  get(xid: number): OpenTransaction {
    const transaction = this.#open.get(xid)
    if (transaction === undefined) throw undecodable('goes on with a transaction that has not begun')
    return transaction
  }

  add(transaction: OpenTransaction, message: SpooledMessage): void {
    const before = transaction.memoryBytes
    transaction.add(message)
    this.#memoryBytes += transaction.memoryBytes - before
  }

  /** All of the transaction is taken back, or a part of it. */
  abort(xid: number, part: number): void {
    const transaction = this.get(xid)
    if (part === xid) return this.end(transaction)
    transaction.abort(part)
    this.#count()
  }

  /** It is needed no more. */
  end(transaction: OpenTransaction): void {
    this.#open.delete(transaction.xid)
    if (transaction.fileBytes > 0) this.#ended.push(transaction)
    this.#count()
  }

  /** Errors: `SPOOL_FULL`, `SPOOL_FAILED`. */
  async work(): Promise<void> {
    const ended = this.#ended
    this.#ended = []
    for (const transaction of ended) await dispose(transaction)
    while (this.#memoryBytes > this.#settings.memoryBytes) await this.#store()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#ended, ...this.#open.values()]
    this.#ended = []
    this.#open.clear()
    await Promise.all(all.map(dispose))
  }

  /** Puts what takes most memory into the spool. */
  async #store(): Promise<void> {
    const { spool, maxSpoolBytes, memoryBytes } = this.#settings
    if (spool === undefined) throw full('memory', `The transactions that are open are larger than ${memoryBytes} bytes, and there is no spool for them.`)
    const largest = [...this.#open.values()].toSorted((a, b) => b.memoryBytes - a.memoryBytes)[0]
    const taken = [...this.#open.values()].reduce((sum, { fileBytes }) => sum + fileBytes, 0)
    if (largest === undefined || taken + largest.growth > maxSpoolBytes) throw full('spool', `The transactions that are open are larger than ${maxSpoolBytes} bytes.`)
    const before = this.#memoryBytes
    await largest.store(spool)
    this.#count()
    // What is left is what was taken back, by number.
    if (this.#memoryBytes >= before) throw full('memory', 'The transactions that are open have taken back too many parts.')
  }

  #count(): void {
    this.#memoryBytes = 0
    for (const { memoryBytes } of this.#open.values()) this.#memoryBytes += memoryBytes
  }
}

/** What can't be freed just now costs room and nothing else. */
async function dispose(transaction: OpenTransaction): Promise<void> {
  await transaction[Symbol.asyncDispose]().catch(() => undefined)
}

function full(detail: 'memory' | 'spool', message: string): TidemarkError {
  return new TidemarkError('SPOOL_FULL', message, { detail })
}
