import type { SqliteTransaction } from '../driver.ts'
import type { HeldTransaction } from './held-transaction.ts'

const SAVEPOINT = 'tidemark_part'

/** A transaction of the source that is being written, in one part or several. */
export class OpenUnit {
  readonly #held: HeldTransaction
  #state: 'open' | 'failed' | 'over' = 'open'
  #unwatch: () => void = () => undefined

  constructor(held: HeldTransaction) {
    this.#held = held
  }

  get transaction(): SqliteTransaction {
    return this.#held.transaction
  }

  /** Whether the part that came last could not be written. It comes again, unless somebody else has taken it. */
  get hasFailed(): boolean {
    return this.#state === 'failed'
  }

  get isOver(): boolean {
    return this.#state === 'over'
  }

  /** The first part. When it can't be written it comes again as a whole, so nothing is kept. */
  async begin(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      await this.rollBack()
      throw error
    }
  }

  /** A later part: all of it or nothing, so that it can come again while the parts before it stay. */
  async goOn(work: () => Promise<void>): Promise<void> {
    await this.transaction.run(`SAVEPOINT ${SAVEPOINT}`)
    try {
      await work()
      await this.transaction.run(`RELEASE ${SAVEPOINT}`)
      this.#state = 'open'
    } catch (error) {
      await this.#undo()
      throw error
    }
  }

  /** Calls back at most once, when the signal fires before the unit is over. */
  watch(signal: AbortSignal, listener: () => void): void {
    signal.addEventListener('abort', listener, { once: true })
    this.#unwatch = () => signal.removeEventListener('abort', listener)
    if (signal.aborted) listener()
  }

  /** Errors: the driver's; whether it was committed is then not known. */
  commit(): Promise<void> {
    this.#end()
    return this.#held.commit()
  }

  rollBack(): Promise<void> {
    this.#end()
    return this.#held.rollBack()
  }

  #end(): void {
    this.#state = 'over'
    this.#unwatch()
  }

  async #undo(): Promise<void> {
    try {
      await this.transaction.run(`ROLLBACK TO ${SAVEPOINT}`)
      await this.transaction.run(`RELEASE ${SAVEPOINT}`)
      this.#state = 'failed'
    } catch {
      // SQLite has rolled everything back by itself, as it does when a disk is full: the error that told is on its way.
      await this.rollBack()
    }
  }
}
