import type { PropagationTarget } from '@tidemark/core/adapter'
import { exactly, sqlitePropagationTarget, untilUnchanged, type BatchTransaction, type PropagationDriver, type SqlitePropagationOptions } from '@tidemark/sqlite'
import type { DurableObjectStorage } from './durable-object-storage.ts'
import { readRows } from './durable-object-transaction.ts'
import { ExactTransaction } from './exact-transaction.ts'
import { MAX_PARAMETERS } from './host-limits.ts'
import { withoutForeignKeys } from './without-foreign-keys.ts'

/**
 * A Durable Object's own SQLite database, given its `ctx.storage`, that takes the changes of its peers: each transaction in one turn, between which the
 * object goes on. Its foreign keys are off for that turn, for what the object writes until it is stored too. Errors: `CONFIG_INVALID`.
 */
export function durableObjectPropagationTarget(storage: DurableObjectStorage, options: SqlitePropagationOptions = {}): PropagationTarget {
  const open = (): Promise<PropagationDriver> => Promise.resolve(new DurableObjectPropagationDriver(storage))
  return sqlitePropagationTarget({ address: 'durable-object', maxParameters: MAX_PARAMETERS, open }, options)
}

class DurableObjectPropagationDriver implements PropagationDriver {
  readonly #storage: DurableObjectStorage

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
  }

  query: PropagationDriver['query'] = async (sql, parameters) => readRows(this.#storage, exactly({ sql, parameters }))

  transaction<T>(work: (transaction: BatchTransaction) => Promise<T>): Promise<T> {
    return untilUnchanged(async () => {
      const transaction = new ExactTransaction(this.#storage)
      const result = await work(transaction)
      if (transaction.writes) await withoutForeignKeys(this.#storage, () => transaction.commit())
      return result
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
