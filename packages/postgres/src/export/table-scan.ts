import type { AbortOptions } from '@tidemark/core/adapter'
import type { ExportTransaction } from './export-transaction.ts'
import { RangeCopy } from './range-copy.ts'

export interface ScanChunk {
  readonly bytes: Uint8Array
  readonly range: number
}

export interface TableScanOptions {
  readonly transaction: ExportTransaction
  /** Another connection that sees the same, for the range behind the one that is read; `undefined` where there is none to be had. */
  readonly openSecond: () => Promise<ExportTransaction | undefined>
  readonly statements: readonly string[]
  /** Number of the first statement to run. */
  readonly range: number
}

/**
 * The rows of one table as COPY gives them, range after range. Two connections take turns: while one range is read here, the server's other process makes the
 * next one ready.
 */
export class TableScan {
  readonly #options: TableScanOptions
  #range: number
  #current: RangeCopy | undefined
  #ahead: Promise<RangeCopy | undefined> = Promise.resolve(undefined)
  /** The scan's own, while the first is its maker's. */
  #second: ExportTransaction | undefined
  #isClosed = false

  constructor(options: TableScanOptions) {
    this.#options = options
    this.#range = options.range
  }

  /** `undefined` behind the last. A row may be cut by the end of a chunk, but not by the end of a range. */
  async next({ signal }: AbortOptions): Promise<ScanChunk | undefined> {
    while (this.#range < this.#options.statements.length) {
      this.#current ??= this.#begin(signal)
      const bytes = await this.#current.next()
      if (bytes !== undefined) return { bytes, range: this.#range }
      await this.#turn(this.#current.transaction, signal)
    }
    return undefined
  }

  close(): void {
    this.#isClosed = true
    this.#range = this.#options.statements.length
    this.#current?.close()
    this.#current = undefined
    this.#ahead.then((ahead) => ahead?.close(), () => undefined)
    this.#second?.close()
  }

  #begin(signal: AbortSignal | undefined): RangeCopy {
    const copy = this.#copy(this.#range, this.#options.transaction, signal)
    if (this.#range + 1 < this.#options.statements.length) this.#ahead = this.#beginSecond(this.#range + 1)
    return copy
  }

  /** The range that is made ready becomes the one that is read, and the connection that is free takes the one behind it. */
  async #turn(free: ExportTransaction, signal: AbortSignal | undefined): Promise<void> {
    this.#range += 1
    this.#current = await this.#ahead
    const isAlone = this.#current === undefined
    const next = isAlone ? this.#range : this.#range + 1
    if (this.#isClosed || next >= this.#options.statements.length) {
      this.#ahead = Promise.resolve(undefined)
      return
    }
    // Who waits for it is a later page, which has a signal of its own.
    const copy = this.#copy(next, free, isAlone ? signal : undefined)
    if (isAlone) this.#current = copy
    else this.#ahead = Promise.resolve(copy)
  }

  async #beginSecond(range: number): Promise<RangeCopy | undefined> {
    const transaction = await this.#options.openSecond()
    this.#second = transaction
    if (transaction === undefined) return undefined
    if (!this.#isClosed) return this.#copy(range, transaction, undefined)
    transaction.close()
    return undefined
  }

  #copy(range: number, transaction: ExportTransaction, signal: AbortSignal | undefined): RangeCopy {
    return new RangeCopy({ range, statement: this.#options.statements[range] ?? '', transaction, signal })
  }
}
