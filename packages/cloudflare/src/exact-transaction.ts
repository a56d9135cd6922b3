import { exactly, type RowTally, type SqliteValue } from '@tidemark/sqlite'
import { DurableObjectTransaction } from './durable-object-transaction.ts'

/** Whose values arrive as they are, also those that the interface can't be given: 64-bit integers, infinities, texts with a NUL. */
export class ExactTransaction extends DurableObjectTransaction {
  #writes = false

  /** Whether there is anything to write. */
  get writes(): boolean {
    return this.#writes
  }

  override run(sql: string, parameters: readonly SqliteValue[] = [], tally?: RowTally): Promise<void> {
    this.#writes = true
    const exact = exactly({ sql, parameters })
    return super.run(exact.sql, exact.parameters, tally)
  }
}
