import type { PropagationTarget, RowValues } from '@tidemark/core/adapter'
import { exactly, sqlitePropagationTarget, untilUnchanged, type BatchTransaction, type PropagationDriver, type SqlitePropagationOptions, type SqliteQuery, type SqliteValue } from '@tidemark/sqlite'
import type { D1Database } from './d1-database.ts'
import { D1Driver, D1Transaction } from './d1-driver.ts'
import { MAX_PARAMETERS } from './host-limits.ts'

/** Foreign keys can't be switched off here, but wait for the end of a batch. */
const DEFER: SqliteQuery = { sql: 'PRAGMA defer_foreign_keys = ON' }

/**
 * A D1 database, given its binding, that takes the changes of its peers: each transaction in one batch. D1 enforces foreign keys at the end of it: a row that
 * refers to none has its table refused, and a row's own cascades are done again here. Errors: `CONFIG_INVALID`.
 */
export function d1PropagationTarget(database: D1Database, options: SqlitePropagationOptions = {}): PropagationTarget {
  const open = (): Promise<PropagationDriver> => Promise.resolve(new D1PropagationDriver(database))
  return sqlitePropagationTarget({ address: 'd1', maxParameters: MAX_PARAMETERS, keepsForeignKeys: true, open }, options)
}

class D1PropagationDriver implements PropagationDriver {
  readonly #driver: D1Driver

  constructor(database: D1Database) {
    this.#driver = new D1Driver(database)
  }

  query(sql: string, parameters: readonly SqliteValue[] = []): Promise<readonly RowValues[]> {
    return this.#driver.query(sql, parameters)
  }

  transaction<T>(work: (transaction: BatchTransaction) => Promise<T>): Promise<T> {
    return untilUnchanged(async () => {
      const transaction = new D1Transaction(this.#driver)
      const result = await work(transaction)
      const { seen, writes } = transaction
      if (writes.length > 0) await this.#driver.commit({ seen, writes: [DEFER, ...writes.map(exactly)] })
      return result
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
