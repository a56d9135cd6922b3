import type { ColumnSchema, LogicalType, TargetTable } from '@tidemark/core/adapter'
import type { BatchDriver, BatchTransaction } from './driver.ts'
import type { LedgerTables } from './migrations.ts'

/** What the catalogue keeps of a column: enough to give its values back as what they were. */
export interface CatalogueColumn {
  readonly name: string
  readonly sourceType: string
  readonly logicalType: LogicalType
  readonly scale: number
  readonly nullable: boolean
}

/** Records the table and its columns; called in the transaction that creates or alters the table. */
export async function writeCatalogue(transaction: Pick<BatchTransaction, 'run'>, ledger: LedgerTables, table: TargetTable): Promise<void> {
  await transaction.run(
    `INSERT INTO ${ledger.tables} VALUES (?, ?) ON CONFLICT (table_name) DO UPDATE SET origin = excluded.origin`,
    [table.name, table.origin],
  )
  await transaction.run(`DELETE FROM ${ledger.columns} WHERE table_name = ?`, [table.name])
  for (const column of table.columns) await writeColumn(transaction, ledger, { tableName: table.name, column })
}

async function writeColumn(
  transaction: Pick<BatchTransaction, 'run'>, ledger: LedgerTables, entry: { readonly tableName: string; readonly column: ColumnSchema },
): Promise<void> {
  const { tableName, column } = entry
  await transaction.run(`INSERT INTO ${ledger.columns} VALUES (?, ?, ?, ?, ?, ?, ?)`, [
    tableName, column.ordinal, column.name, column.sourceType, column.logicalType, column.scale, column.nullable ? 1 : 0,
  ])
}

export async function eraseCatalogue(transaction: Pick<BatchTransaction, 'run'>, ledger: LedgerTables, tableName: string): Promise<void> {
  await transaction.run(`DELETE FROM ${ledger.tables} WHERE table_name = ?`, [tableName])
  await transaction.run(`DELETE FROM ${ledger.columns} WHERE table_name = ?`, [tableName])
}

export async function readCatalogue(driver: Pick<BatchDriver, 'query'>, ledger: LedgerTables, tableName: string): Promise<readonly CatalogueColumn[]> {
  const rows = await driver.query(
    `SELECT name, source_type, logical_type, scale, nullable FROM ${ledger.columns} WHERE table_name = ? ORDER BY ordinal`,
    [tableName],
  )
  return rows.map(([name, sourceType, logicalType, scale, nullable]) => ({
    name: String(name),
    sourceType: String(sourceType),
    // Written by us from the same union; an unknown one would be a newer release, which migrate() has refused.
    logicalType: String(logicalType) as LogicalType,
    scale: Number(scale),
    nullable: Number(nullable) === 1,
  }))
}
