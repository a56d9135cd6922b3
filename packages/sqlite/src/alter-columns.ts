import type { ColumnSchema, TargetTable } from '@tidemark/core/adapter'
import type { BatchTransaction } from './driver.ts'
import { quote } from './quote.ts'
import { addColumnSql } from './table-ddl.ts'

/**
 * Makes the table's columns those of `table`, matching old and new by ordinal: a changed name is a rename, a missing
 * ordinal a drop, a new one an addition. Indexes on a dropped column go first, or SQLite refuses the drop.
 */
export async function alterColumns(transaction: BatchTransaction, table: TargetTable, previous: readonly ColumnSchema[]): Promise<void> {
  const wanted = new Map(table.columns.map((column) => [column.ordinal, column]))
  await dropColumns(transaction, table.name, previous.filter(({ ordinal }) => !wanted.has(ordinal)))
  await renameColumns(transaction, table, previous)
  const known = new Set(previous.map((column) => column.ordinal))
  for (const column of table.columns) {
    if (!known.has(column.ordinal)) await transaction.run(addColumnSql(table.name, column))
  }
}

/** Two steps, so that names may be swapped or shifted. */
async function renameColumns(transaction: BatchTransaction, table: TargetTable, previous: readonly ColumnSchema[]): Promise<void> {
  const before = new Map(previous.map((column) => [column.ordinal, column.name]))
  const renamed = table.columns.filter((column) => before.has(column.ordinal) && before.get(column.ordinal) !== column.name)
  const rename = (from: string, to: string): Promise<unknown> =>
    transaction.run(`ALTER TABLE ${quote(table.name)} RENAME COLUMN ${quote(from)} TO ${quote(to)}`)
  for (const column of renamed) await rename(before.get(column.ordinal) ?? column.name, `tidemark ${column.ordinal}`)
  for (const column of renamed) await rename(`tidemark ${column.ordinal}`, column.name)
}

/** All that is asked comes before all that is written: not every host can read what a transaction has written. */
async function dropColumns(transaction: BatchTransaction, tableName: string, columns: readonly ColumnSchema[]): Promise<void> {
  const indexes = new Set<string>()
  for (const { name } of columns) for (const index of await indexesOn(transaction, tableName, name)) indexes.add(index)
  for (const index of indexes) await transaction.run(`DROP INDEX ${quote(index)}`)
  for (const { name } of columns) await transaction.run(`ALTER TABLE ${quote(tableName)} DROP COLUMN ${quote(name)}`)
}

async function indexesOn(transaction: BatchTransaction, tableName: string, columnName: string): Promise<readonly string[]> {
  const rows = await transaction.query(
    `SELECT DISTINCT list.name FROM pragma_index_list(?) AS list, pragma_index_info(list.name) AS info
     WHERE list.origin = 'c' AND info.name = ?`,
    [tableName, columnName],
  )
  return rows.map(([index]) => String(index))
}
