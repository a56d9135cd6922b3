import { TidemarkError, type ColumnSchema, type Cursor, type TableSchema } from '@tidemark/core/adapter'
import type { SqliteValue } from '../driver.ts'
import { quote } from '../quote.ts'
import { cursorValue } from './cursor-text.ts'

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

export function orderBy(columns: readonly ColumnSchema[], direction: '' | ' DESC' = ''): string {
  return columns.map((column) => `s.${quote(column.name)}${direction}`).join(', ')
}

/**
 * The cursor's values in the order of `order`; only the tracking value of a cursor without key.
 * Errors: `STATE_CORRUPT` for a cursor of another key.
 */
export function cursorValues(columns: CursorColumns, cursor: Cursor): readonly SqliteValue[] {
  if (columns.tracking !== undefined && cursor.tracking !== undefined && cursor.key.length === 0) return [cursorValue(cursor.tracking)]
  const fits = cursor.key.length === columns.key.length && (cursor.tracking !== undefined || columns.tracking === undefined)
  if (!fits) throw new TidemarkError('STATE_CORRUPT', 'A cursor does not fit the key and tracking column of its table.')
  return columns.order.map((column) => {
    const text = column === columns.tracking ? cursor.tracking : cursor.key[columns.key.indexOf(column)]
    return cursorValue(text ?? '')
  })
}

/** A condition and what is bound in it. */
export interface Condition {
  readonly text: string
  readonly parameters: readonly SqliteValue[]
}

/**
 * Rows after (from, at) these values, as one row comparison, which an index over the same columns serves as one range. Each column
 * compares with its own affinity and collation, as it does in ORDER BY (sqlite.org, "Row Values").
 */
export function compareRow(columns: readonly ColumnSchema[], operator: '>' | '>=' | '=', values: readonly SqliteValue[]): Condition {
  const left = columns.map((column) => `s.${quote(column.name)}`).join(', ')
  // Not every driver can bind an infinity. Literals this large are one (sqlite.org, "Floating Point Numbers").
  const right = values.map((value) => (isInfinite(value) ? `${value < 0 ? '-' : ''}9e999` : '?')).join(', ')
  return { text: columns.length === 1 ? `${left} ${operator} ${right}` : `(${left}) ${operator} (${right})`, parameters: values.filter((value) => !isInfinite(value)) }
}

function isInfinite(value: SqliteValue): value is number {
  return typeof value === 'number' && !Number.isFinite(value)
}
