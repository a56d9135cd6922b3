import { TidemarkError, type RowValues, type Value } from '@tidemark/core/adapter'
import type { SqliteTransaction, SqliteValue } from '../driver.ts'

/** What a handler writes through: every statement is part of the transaction that also stores the checkpoint. */
export interface ChangeTargetTransaction {
  /** Rows as arrays. Integers outside the safe range are `bigint`. Errors: `TARGET_*`. */
  query(sql: string, parameters?: readonly Value[]): Promise<readonly RowValues[]>
  /** Runs one statement and tells how many rows it changed. Booleans are stored as 0 and 1. Errors: `TARGET_*`. */
  run(sql: string, parameters?: readonly Value[]): Promise<number>
}

/** Gives `work` the transaction for as long as it runs: a statement that it did not wait for would be written outside of it. */
export async function lend<T>(transaction: SqliteTransaction, work: (transaction: ChangeTargetTransaction) => T | Promise<T>): Promise<T> {
  let isOver = false
  const use = <Result>(statement: () => Promise<Result>): Promise<Result> =>
    (isOver ? Promise.reject(new TidemarkError('CLOSED', 'The handler has returned: its transaction takes no more statements.')) : statement())
  try {
    return await work({
      query: (sql, parameters = []) => use(() => transaction.query(sql, parameters.map(toSqlite))),
      run: (sql, parameters = []) => use(() => transaction.run(sql, parameters.map(toSqlite))),
    })
  } finally {
    isOver = true
  }
}

function toSqlite(value: Value): SqliteValue {
  return typeof value === 'boolean' ? Number(value) : value
}
