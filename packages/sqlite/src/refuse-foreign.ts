import { TidemarkError } from '@tidemark/core/adapter'
import type { BatchTransaction } from './driver.ts'
import type { LedgerTables } from './migrations.ts'

/**
 * Throws `TARGET_NOT_OWNED` where a table or view of this name exists that is not in the catalogue. Asked in the transaction that
 * creates, replaces or drops the table, because a table may have come in since anybody looked.
 */
export async function refuseForeign(transaction: Pick<BatchTransaction, 'query'>, ledger: LedgerTables, tableName: string): Promise<void> {
  const rows = await transaction.query(
    `SELECT 1 FROM sqlite_master WHERE name = ? COLLATE NOCASE AND type IN ('table', 'view')
       AND NOT EXISTS (SELECT 1 FROM ${ledger.tables} WHERE table_name = ?)`,
    [tableName, tableName],
  )
  if (rows.length > 0) throw new TidemarkError('TARGET_NOT_OWNED', `The target has a table "${tableName}" that Tidemark did not make.`)
}
