import type { ColumnSchema, TableSchema } from '../dialect/table.ts'

/**
 * The table with the numbers that its columns are already known by, for sources whose own numbers are mere places and shift when
 * a column is dropped. By place, the column behind a dropped one would be taken for it, renamed, and keep its values.
 */
export function numberByName(known: readonly ColumnSchema[], table: TableSchema): TableSchema {
  const numbers = new Map(known.map((column) => [column.name, column.ordinal]))
  let last = Math.max(0, ...numbers.values())
  return {
    ...table,
    columns: table.columns.map((column) => {
      const ordinal = numbers.get(column.name) ?? (last += 1)
      return { ...column, ordinal }
    }),
  }
}
