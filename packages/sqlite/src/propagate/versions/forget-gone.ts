import { timeOf } from '@tidemark/core/adapter'
import type { BatchTransaction } from '../../driver.ts'
import type { StampContext } from './stamp-log.ts'

/** Forgets versions of what the log does not keep any more, and of rows that have been gone for long. Costs a look at an index where there are none. */
export async function forgetGone(transaction: BatchTransaction, { names, log, nowMs, tombstoneMs }: StampContext): Promise<void> {
  await transaction.run(`DELETE FROM ${names.stamps} WHERE seq < (SELECT min(seq) FROM ${log.log})`)
  await transaction.run(`DELETE FROM ${names.versions} WHERE gone = 1 AND version < ?`, [timeOf(nowMs - tombstoneMs)])
}
