import { TidemarkError } from '@tidemark/core/adapter'
import type { ColumnSchema, Cursor, TableSchema } from '@tidemark/core/adapter'
import { quoteIdentifier } from './quote.ts'
import { castParameter } from './select-expression.ts'

/** The columns that order a read and make up its cursor. */
export interface CursorColumns {
  readonly tracking: ColumnSchema | undefined
  readonly key: readonly ColumnSchema[]
  /** What to order by: the tracking column first, each column once. */
  readonly order: readonly ColumnSchema[]
}

/** Errors: `COLUMN_UNKNOWN`. */
export function cursorColumns(table: TableSchema, keyNames: readonly string[], trackingName: string | undefined): CursorColumns {
  const key = keyNames.map((name) => findColumn(table, name))
  const tracking = trackingName === undefined ? undefined : findColumn(table, trackingName)
  const order = tracking === undefined ? key : [tracking, ...key.filter((column) => column !== tracking)]
  return { tracking, key, order }
}

export function findColumn(table: TableSchema, name: string): ColumnSchema {
  const column = table.columns.find((candidate) => candidate.name === name)
  if (column === undefined) throw new TidemarkError('COLUMN_UNKNOWN', `The table '${table.ref.name}' has no column '${name}'.`)
  return column
}

/** What the table is called in a statement that orders it, see {@link orderBy}. */
export const TABLE_ALIAS = 'source'

/**
 * Names are qualified, because a bare name in ORDER BY means the output column of that name first, and so the converted
 * value (as of money) instead of the one that the cursor and the index are about.
 */
export function orderBy(columns: readonly ColumnSchema[], direction: '' | ' DESC' = ''): string {
  return columns.map((column) => `${TABLE_ALIAS}.${quoteIdentifier(column.name)}${direction}`).join(', ')
}

/** The cursor's texts in the order of `order`; only the tracking value of a cursor without key. Errors: `STATE_CORRUPT` for a cursor of another key. */
export function cursorTexts(columns: CursorColumns, cursor: Cursor): string[] {
  if (columns.tracking !== undefined && cursor.tracking !== undefined && cursor.key.length === 0) return [cursor.tracking]
  const fits = cursor.key.length === columns.key.length && (cursor.tracking !== undefined || columns.tracking === undefined)
  if (!fits) throw new TidemarkError('STATE_CORRUPT', 'A cursor does not fit the key and tracking column of its table.')
  return columns.order.map((column) => {
    if (column === columns.tracking) return cursor.tracking ?? ''
    return cursor.key[columns.key.indexOf(column)] ?? ''
  })
}

/**
 * Rows after (from, at) the values that parameters `$first`... hold, as one row comparison, which an index over the
 * same columns serves as one range. The values come back as the very text that the server gave, never as a driver's type.
 */
export function compareRow(columns: readonly ColumnSchema[], operator: '>' | '>=' | '=', first: number): string {
  const left = columns.map((column) => quoteIdentifier(column.name)).join(', ')
  const right = columns.map((column, i) => castParameter(`$${first + i}`, column)).join(', ')
  return `(${left}) ${operator} (${right})`
}

/** Where the texts of a cursor stand in a row: `at(column)` gives the index. Errors: `KEY_REQUIRED` for a NULL in the key. */
export function readCursor(columns: CursorColumns, textOf: (column: ColumnSchema) => string | null): Cursor {
  const key = columns.key.map((column) => {
    const text = textOf(column)
    if (text === null) throw new TidemarkError('KEY_REQUIRED', `The key column '${column.name}' holds a NULL, so it can't identify rows.`)
    return text
  })
  return columns.tracking === undefined ? { key } : { tracking: textOf(columns.tracking) ?? undefined, key }
}
