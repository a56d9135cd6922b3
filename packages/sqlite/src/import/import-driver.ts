import type { RowValues, TidemarkError } from '@tidemark/core/adapter'
import type { BatchTransaction, SqliteQuery, SqliteValue } from '../driver.ts'

/** A statement that tells how many rows the others of its transaction have changed. */
export interface CountingStatement {
  /** Run with the others. */
  write(rows: number): SqliteQuery
  /**
   * For a host that learns the number only once all is written: there `write(0)` was run with the others, and this is run afterwards. It changes nothing when somebody has
   * written in its place since.
   */
  correct(rows: number): SqliteQuery
}

export interface ImportTransaction extends BatchTransaction {
  /** Behind all others, whatever comes after. Once. */
  runCounting(statement: CountingStatement): void
}

export interface FailingStatement {
  readonly index: number
  readonly error: TidemarkError
}

/** What an import needs of a host without BEGIN and COMMIT. Errors must be mapped with `sqliteError` already. */
export interface ImportDriver extends AsyncDisposable {
  query(sql: string, parameters?: readonly SqliteValue[]): Promise<readonly RowValues[]>
  /** All of the writes or none. Foreign keys are not enforced, or where that can't be helped, not before its end. */
  transaction<T>(work: (transaction: ImportTransaction) => Promise<T>): Promise<T>
  /** Of statements that failed together, the first that does so behind those before it; `undefined` when none does. Nothing of them stays. */
  firstFailing(statements: readonly string[]): Promise<FailingStatement | undefined>
}
