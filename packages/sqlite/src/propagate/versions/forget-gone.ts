import type { BatchTransaction } from '../../driver.ts'
import type { StampContext } from './stamp-log.ts'

/**
 * Forgets versions of what the log does not keep any more, and of rows that are known to be gone for long. By when that was heard of here and not by the version: that of a row which
 * gave way may be old when it does. Costs a look at an index where there are none.
 */
export async function forgetGone(transaction: BatchTransaction, { names, log, nowMs, tombstoneMs }: StampContext): Promise<void> {
  await transaction.run(`DELETE FROM ${names.stamps} WHERE seq < (SELECT min(seq) FROM ${log.log})`)
  await transaction.run(`DELETE FROM ${names.versions} WHERE gone > 0 AND gone < ?`, [BigInt(Math.trunc(nowMs - tombstoneMs))])
}
