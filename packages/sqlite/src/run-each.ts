import type { SqliteValue } from './driver.ts'
import type { RowTally, TargetTransaction } from './target-driver.ts'

export interface EachStatement {
  readonly sql: string
  readonly lists: Iterable<readonly SqliteValue[]>
  readonly tally?: RowTally | undefined
}

/** Runs one statement with each list of parameters, in as few round trips as the driver can. */
export async function runEach(transaction: Pick<TargetTransaction, 'run' | 'runMany'>, { sql, lists, tally }: EachStatement): Promise<void> {
  if (transaction.runMany !== undefined) return void await transaction.runMany(sql, lists, tally)
  for (const parameters of lists) await transaction.run(sql, parameters, tally)
}
