import type { SqliteTransaction, SqliteValue } from './driver.ts'

/** Runs one statement with each list of parameters, in as few round trips as the driver can; tells how many rows changed. */
export async function runEach(transaction: SqliteTransaction, sql: string, lists: Iterable<readonly SqliteValue[]>): Promise<number> {
  if (transaction.runMany !== undefined) return transaction.runMany(sql, lists)
  let changed = 0
  for (const parameters of lists) changed += await transaction.run(sql, parameters)
  return changed
}
