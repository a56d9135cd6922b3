import type { TargetDialect } from '@tidemark/core/adapter'
import { batchTarget, exactly, untilUnchanged, type TargetDriver, type TargetTransaction } from '@tidemark/sqlite'
import type { DurableObjectStorage } from './durable-object-storage.ts'
import { readRows } from './durable-object-transaction.ts'
import { ExactTransaction } from './exact-transaction.ts'
import { MAX_PARAMETERS, MAX_ROW_BYTES } from './host-limits.ts'
import { withoutForeignKeys } from './without-foreign-keys.ts'

/**
 * A Durable Object's own SQLite database, given its `ctx.storage`, to keep copies in. What a slice writes is written in one synchronous turn with its checkpoint; between slices the
 * object goes on. Its foreign keys are off while a complete copy takes the place of the one before, for what the object writes in those milliseconds too.
 *
 * Rows of up to 2 MB, tables of up to 100 columns. Errors: `TARGET_*`.
 */
export function durableObjectTarget(storage: DurableObjectStorage): TargetDialect {
  return batchTarget({
    name: 'durable-object', address: 'durable-object', textForm: 'tagged',
    capabilities: { maxParameters: MAX_PARAMETERS, maxRowBytes: MAX_ROW_BYTES, shared: false, synchronous: true },
    open: () => Promise.resolve(new DurableObjectTargetDriver(storage)),
  })
}

class DurableObjectTargetDriver implements TargetDriver {
  readonly #storage: DurableObjectStorage

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
  }

  query: TargetDriver['query'] = async (sql, parameters) => readRows(this.#storage, exactly({ sql, parameters }))

  transaction<T>(work: (transaction: TargetTransaction) => Promise<T>): Promise<T> {
    return this.#run(work, async (transaction) => transaction.commit())
  }

  swap<T>(_dropped: string, work: (transaction: TargetTransaction) => Promise<T>): Promise<T> {
    return this.#run(work, (transaction) => withoutForeignKeys(this.#storage, () => this.#renaming(() => transaction.commit())))
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #run<T>(work: (transaction: TargetTransaction) => Promise<T>, commit: (transaction: ExactTransaction) => Promise<void>): Promise<T> {
    return untilUnchanged(async () => {
      const transaction = new ExactTransaction(this.#storage)
      const result = await work(transaction)
      await commit(transaction)
      return result
    })
  }

  #renaming(work: () => void): void {
    this.#storage.sql.exec('PRAGMA legacy_alter_table = ON')
    try {
      work()
    } finally {
      this.#storage.sql.exec('PRAGMA legacy_alter_table = OFF')
    }
  }
}
