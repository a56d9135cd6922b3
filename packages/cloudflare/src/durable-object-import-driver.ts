import { TidemarkError, type RowValues } from '@tidemark/core/adapter'
import type { CountingStatement, FailingStatement, ImportDriver, ImportTransaction, SqliteValue } from '@tidemark/sqlite'
import { durableObjectError } from './cloudflare-error.ts'
import type { DurableObjectStorage } from './durable-object-storage.ts'
import { DurableObjectTransaction, readRows, TakenBack } from './durable-object-transaction.ts'
import { toBindings } from './to-binding.ts'
import { untilUnchanged } from './until-unchanged.ts'

/** For an application that writes in every turn. */
const MAX_TRIES = 100

/** The database of a Durable Object to load into. */
export class DurableObjectImportDriver implements ImportDriver {
  readonly #storage: DurableObjectStorage

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
  }

  async query(sql: string, parameters: readonly SqliteValue[] = []): Promise<readonly RowValues[]> {
    return readRows(this.#storage, { sql, parameters })
  }

  transaction<T>(work: (transaction: ImportTransaction) => Promise<T>): Promise<T> {
    return untilUnchanged(async () => {
      const transaction = new CountingTransaction(this.#storage)
      const result = await work(transaction)
      await this.#withoutForeignKeys(() => transaction.commit())
      return result
    })
  }

  async firstFailing(statements: readonly string[]): Promise<FailingStatement | undefined> {
    const found: FailingStatement[] = []
    await this.#withoutForeignKeys(() => {
      try {
        this.#storage.transactionSync(() => {
          found.push(...this.#failing(statements))
          throw new TakenBack()
        })
      } catch (error) {
        if (!(error instanceof TakenBack)) throw durableObjectError(error)
      }
    })
    return found[0]
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #failing(statements: readonly string[]): readonly FailingStatement[] {
    for (const [index, sql] of statements.entries()) {
      try {
        this.#storage.sql.exec(sql)
      } catch (error) {
        return [{ index, error: durableObjectError(error) }]
      }
    }
    return []
  }

  /** A row that refers to one of a later slice would else reset the object, at the end of the turn. What the application writes until it is done is not held to its keys either. */
  async #withoutForeignKeys(work: () => void): Promise<void> {
    const before = this.#foreignKeys()
    await this.#setForeignKeys(0)
    try {
      work()
    } finally {
      await this.#setForeignKeys(before)
    }
  }

  /** The host's own transaction, in which it has no effect, is open from the first write of a turn until that is stored. */
  async #setForeignKeys(wanted: number): Promise<void> {
    for (let tries = 0; this.#foreignKeys() !== wanted; tries += 1) {
      if (tries === MAX_TRIES) throw new TidemarkError('TARGET_BUSY', 'The object was written to each time that its foreign keys were to be switched.')
      await this.#storage.sync()
      this.#storage.sql.exec(`PRAGMA foreign_keys = ${wanted}`)
    }
  }

  #foreignKeys(): number {
    return Number(readRows(this.#storage, { sql: 'PRAGMA foreign_keys' })[0]?.[0])
  }
}

class CountingTransaction extends DurableObjectTransaction implements ImportTransaction {
  readonly #storage: DurableObjectStorage
  #counting: CountingStatement | undefined

  constructor(storage: DurableObjectStorage) {
    super(storage)
    this.#storage = storage
  }

  runCounting(statement: CountingStatement): void {
    this.#counting = statement
  }

  protected override replay(): void {
    const before = this.#totalChanges()
    super.replay()
    if (this.#counting === undefined) return
    const { sql, parameters = [] } = this.#counting.write(this.#totalChanges() - before)
    this.#storage.sql.exec(sql, ...toBindings(parameters))
  }

  #totalChanges(): number {
    return Number(readRows(this.#storage, { sql: 'SELECT total_changes()' })[0]?.[0])
  }
}
