import { TidemarkError, type RowValues } from '@tidemark/core/adapter'
import { untilUnchanged, type CountingStatement, type FailingStatement, type ImportDriver, type ImportTransaction, type SqliteQuery, type SqliteValue } from '@tidemark/sqlite'
import { D1Driver, D1Transaction, type D1Written } from './d1-driver.ts'
import type { D1Database } from './d1-database.ts'

/** They can't be switched off here, but wait for the end of a batch. */
const DEFER: SqliteQuery = { sql: 'PRAGMA defer_foreign_keys = ON' }
const TOTAL: SqliteQuery = { sql: 'SELECT total_changes() AS total' }

/** Fails as hardly anything else does: by it a batch tells that everything before it went well, and is taken back all the same. */
const TAKE_BACK: SqliteQuery = { sql: `SELECT 1 LIMIT 'x'` }
const TAKEN_BACK = 'SQLITE_MISMATCH'

/** A D1 database to load into. */
export class D1ImportDriver implements ImportDriver {
  readonly #driver: D1Driver

  constructor(database: D1Database) {
    this.#driver = new D1Driver(database)
  }

  query(sql: string, parameters: readonly SqliteValue[] = []): Promise<readonly RowValues[]> {
    return this.#driver.query(sql, parameters)
  }

  /** A kill between the batch and what corrects its count costs that count only. */
  transaction<T>(work: (transaction: ImportTransaction) => Promise<T>): Promise<T> {
    return untilUnchanged(async () => {
      const transaction = new D1ImportTransaction(this.#driver)
      const result = await work(transaction)
      const { seen, writes, counting } = transaction
      if (counting === undefined) await this.#driver.commit({ seen, writes: [DEFER, ...writes] })
      else await this.#commitCounting(transaction, counting)
      return result
    })
  }

  /** By halves: a batch does not tell which of its statements failed. */
  async firstFailing(statements: readonly string[]): Promise<FailingStatement | undefined> {
    let [good, bad] = [0, statements.length]
    if (await this.#failure(statements) === undefined) return undefined
    while (bad - good > 1) {
      const middle = Math.floor((good + bad) / 2)
      if (await this.#failure(statements.slice(0, middle)) === undefined) good = middle
      else bad = middle
    }
    const error = await this.#failure(statements.slice(0, bad))
    return error === undefined ? undefined : { index: bad - 1, error }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #commitCounting({ seen, writes }: D1ImportTransaction, counting: CountingStatement): Promise<void> {
    const results = await this.#driver.commit({ seen, writes: [DEFER, TOTAL, ...writes, TOTAL, counting.write(0)] })
    const changed = total(results[writes.length + 2]) - total(results[1])
    if (changed > 0) await this.#driver.commit({ seen: [], writes: [counting.correct(changed)] })
  }

  /** `undefined`: they go well together. */
  async #failure(statements: readonly string[]): Promise<TidemarkError | undefined> {
    try {
      await this.#driver.commit({ seen: [], writes: [DEFER, ...statements.map((sql) => ({ sql })), TAKE_BACK] })
      return undefined
    } catch (error) {
      if (!(error instanceof TidemarkError) || error.retryable) throw error
      return error.detail === TAKEN_BACK ? undefined : error
    }
  }
}

class D1ImportTransaction extends D1Transaction implements ImportTransaction {
  counting: CountingStatement | undefined

  runCounting(statement: CountingStatement): void {
    this.counting = statement
  }
}

function total(written: D1Written | undefined): number {
  return Number(written?.rows[0]?.[0])
}
