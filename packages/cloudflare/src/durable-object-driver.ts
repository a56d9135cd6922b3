import type { RowValues } from '@tidemark/core/adapter'
import { untilUnchanged, type BatchDriver, type BatchTransaction, type SqliteQuery, type SqliteValue } from '@tidemark/sqlite'
import type { DurableObjectStorage } from './durable-object-storage.ts'
import { DurableObjectTransaction, readRows } from './durable-object-transaction.ts'

/** The database of a Durable Object. There is nothing to open or to close: it is the object's own. */
export class DurableObjectDriver implements BatchDriver {
  readonly #storage: DurableObjectStorage

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
  }

  async query(sql: string, parameters: readonly SqliteValue[] = []): Promise<readonly RowValues[]> {
    return readRows(this.#storage, { sql, parameters })
  }

  /** In one synchronous turn: nobody else gets to write in between. */
  async view(queries: readonly SqliteQuery[]): Promise<readonly (readonly RowValues[])[]> {
    return queries.map((query) => readRows(this.#storage, query))
  }

  transaction<T>(work: (transaction: BatchTransaction) => Promise<T>): Promise<T> {
    return untilUnchanged(async () => {
      const transaction = new DurableObjectTransaction(this.#storage)
      const result = await work(transaction)
      transaction.commit()
      return result
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
