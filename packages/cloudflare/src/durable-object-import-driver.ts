import type { RowValues } from '@tidemark/core/adapter'
import { untilUnchanged, type CountingStatement, type FailingStatement, type ImportDriver, type ImportTransaction, type SqliteValue } from '@tidemark/sqlite'
import { durableObjectError } from './cloudflare-error.ts'
import type { DurableObjectStorage } from './durable-object-storage.ts'
import { DurableObjectTransaction, readRows, TakenBack } from './durable-object-transaction.ts'
import { toBindings } from './to-binding.ts'
import { withoutForeignKeys } from './without-foreign-keys.ts'

/** The database of a Durable Object to load into. A row that refers to one of a later slice would reset the object, at the end of the turn: its foreign keys are off in a slice. */
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
      await withoutForeignKeys(this.#storage, () => transaction.commit())
      return result
    })
  }

  async firstFailing(statements: readonly string[]): Promise<FailingStatement | undefined> {
    const found: FailingStatement[] = []
    await withoutForeignKeys(this.#storage, () => {
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
