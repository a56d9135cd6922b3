import type { ColumnSchema, TargetTable } from '@tidemark/core/adapter'
import type { SqliteTransaction } from './driver.ts'
import { quote } from './quote.ts'
import { addColumnSql } from './table-ddl.ts'

/**
 * Makes the table's columns those of `table`, matching old and new by ordinal: a changed name is a rename, a missing
 * ordinal a drop, a new one an addition. Indexes on a dropped column go first, or SQLite refuses the drop.
 */
export async function alterColumns(transaction: SqliteTransaction, table: TargetTable, previous: readonly ColumnSchema[]): Promise<void> {
  const wanted = new Map(table.columns.map((column) => [column.ordinal, column]))
  for (const column of previous) {
    if (!wanted.has(column.ordinal)) await dropColumn(transaction, table.name, column.name)
  }
  await renameColumns(transaction, table, previous)
  const known = new Set(previous.map((column) => column.ordinal))
  for (const column of table.columns) {
    if (!known.has(column.ordinal)) await transaction.run(addColumnSql(table.name, column))
  }
}

/** Two steps, so that names may be swapped or shifted. */
async function renameColumns(transaction: SqliteTransaction, table: TargetTable, previous: readonly ColumnSchema[]): Promise<void> {
  const before = new Map(previous.map((column) => [column.ordinal, column.name]))
  const renamed = table.columns.filter((column) => before.has(column.ordinal) && before.get(column.ordinal) !== column.name)
  const rename = (from: string, to: string): Promise<number> =>
    transaction.run(`ALTER TABLE ${quote(table.name)} RENAME COLUMN ${quote(from)} TO ${quote(to)}`)
  for (const column of renamed) await rename(before.get(column.ordinal) ?? column.name, `tidemark ${column.ordinal}`)
  for (const column of renamed) await rename(`tidemark ${column.ordinal}`, column.name)
}

async function dropColumn(transaction: SqliteTransaction, tableName: string, columnName: string): Promise<void> {
  const indexes = await transaction.query(
    `SELECT DISTINCT list.name FROM pragma_index_list(?) AS list, pragma_index_info(list.name) AS info
     WHERE list.origin = 'c' AND info.name = ?`,
    [tableName, columnName],
  )
  for (const [index] of indexes) await transaction.run(`DROP INDEX ${quote(String(index))}`)
  await transaction.run(`ALTER TABLE ${quote(tableName)} DROP COLUMN ${quote(columnName)}`)
}
