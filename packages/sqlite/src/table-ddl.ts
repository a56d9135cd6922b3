import type { ColumnSchema, TargetTable } from '@tidemark/core/adapter'
import { quote, quoteAll } from './quote.ts'

/**
 * Only INTEGER, REAL, TEXT and BLOB are ever declared. A source's own type name would choose the affinity:
 * `interval` and `point` contain INT, `json` and `decimal` become NUMERIC and turn text into floats
 * (sqlite.org, "Datatypes In SQLite", 3.1).
 *
 * Tables are not STRICT: a REAL column must be able to keep `NaN` and `Infinity` as text.
 */
export function createTableSql(name: string, table: TargetTable): string {
  const rowid = rowidColumn(table)
  const columns = table.columns.map((column) => columnSql(column, column.name === rowid, table.key))
  if (table.deletedAtColumn !== undefined) columns.push(`${quote(table.deletedAtColumn)} TEXT`)
  if (table.key.length > 0 && rowid === undefined) columns.push(`PRIMARY KEY (${quoteAll(table.key)})`)
  return `CREATE TABLE ${quote(name)} (${columns.join(', ')})`
}

function columnSql(column: ColumnSchema, isRowid: boolean, key: readonly string[]): string {
  const type = column.storage.toUpperCase()
  if (isRowid) return `${quote(column.name)} ${type} PRIMARY KEY`
  // Key columns must say NOT NULL themselves: SQLite lets NULLs into other primary keys than INTEGER. The others never
  // do: a source may drop NOT NULL at any time, and SQLite can't follow that without rebuilding the table.
  return `${quote(column.name)} ${type}${key.includes(column.name) ? ' NOT NULL' : ''}`
}

/** The column that is the rowid itself, if the key is one integer. */
export function rowidColumn(table: TargetTable): string | undefined {
  const [only, second] = table.key
  if (only === undefined || second !== undefined) return undefined
  return table.columns.find((column) => column.name === only)?.storage === 'integer' ? only : undefined
}

export function addColumnSql(tableName: string, column: ColumnSchema): string {
  return `ALTER TABLE ${quote(tableName)} ADD COLUMN ${quote(column.name)} ${column.storage.toUpperCase()}`
}
