import type { ChangeClient } from '../harness/change-harness.ts'
import type { ChangeStatement } from '../harness/change-spec.ts'
import type { MemoryChangeDatabase, MemoryTransaction } from './memory-change-database.ts'

/** One client of the database. `unseen`: what it commits does not get into the log. */
export class MemoryChangeClient implements ChangeClient {
  readonly #database: () => MemoryChangeDatabase
  readonly #unseen: boolean
  #open: MemoryTransaction | undefined

  constructor(database: () => MemoryChangeDatabase, unseen: boolean) {
    this.#database = database
    this.#unseen = unseen
  }

  async run(statement: ChangeStatement): Promise<void> {
    const transaction = this.#open ?? this.#database().begin()
    this.#database().ran(transaction.run(statement))
    if (this.#open === undefined) this.#database().commit(transaction, this.#unseen)
  }

  async begin(): Promise<void> {
    this.#open = this.#database().begin()
  }

  async commit(): Promise<void> {
    this.#database().commit(this.#transaction, this.#unseen)
    this.#open = undefined
  }

  async rollback(): Promise<void> {
    this.#open = undefined
  }

  async savepoint(name: string): Promise<void> {
    this.#transaction.savepoint(name)
  }

  async rollbackTo(name: string): Promise<void> {
    this.#transaction.rollbackTo(name)
  }

  async release(name: string): Promise<void> {
    this.#transaction.release(name)
  }

  async close(): Promise<void> {
    this.#open = undefined
  }

  get #transaction(): MemoryTransaction {
    if (this.#open === undefined) throw new TypeError('No transaction is open.')
    return this.#open
  }
}
