import { TidemarkError, type ColumnSchema, type Cursor, type TableSchema } from '@tidemark/core/adapter'
import { collated } from '../collated.ts'
import type { SqliteValue } from '../driver.ts'
import { quote } from '../quote.ts'
import { cursorValue } from './cursor-text.ts'

/** The columns that order a read and make up its cursor. */
export interface CursorColumns {
  readonly tracking: ColumnSchema | undefined
  readonly key: readonly ColumnSchema[]
  /** What to order by: the tracking column first, each column once. */
  readonly order: readonly ColumnSchema[]
  /** By name, of columns of the key that are compared by another collation than their own. */
  readonly collations: ReadonlyMap<string, string>
}

export interface OrderRequest {
  readonly table: TableSchema
  readonly key: readonly string[]
  readonly tracking: string | undefined
  readonly collations: ReadonlyMap<string, string>
}

/** Errors: `COLUMN_UNKNOWN`. */
export function cursorColumns({ table, key: keyNames, tracking: trackingName, collations }: OrderRequest): CursorColumns {
  const key = keyNames.map((name) => findColumn(table, name))
  const tracking = trackingName === undefined ? undefined : findColumn(table, trackingName)
  const order = tracking === undefined ? key : [tracking, ...key.filter((column) => column !== tracking)]
  return { tracking, key, order, collations }
}

export function findColumn(table: TableSchema, name: string): ColumnSchema {
  const column = table.columns.find((candidate) => candidate.name === name)
  if (column === undefined) throw new TidemarkError('COLUMN_UNKNOWN', `The table '${table.ref.name}' has no column '${name}'.`)
  return column
}

export function orderBy({ order, collations }: CursorColumns, direction: '' | ' DESC' = ''): string {
  return order.map((column) => `${compared(column, collations)}${direction}`).join(', ')
}

function compared({ name }: ColumnSchema, collations: CursorColumns['collations']): string {
  return collated(`s.${quote(name)}`, { collation: collations.get(name), isOwn: false })
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
 * compares with its own affinity and the collation that it has in ORDER BY (sqlite.org, "Row Values"). Fewer values than columns: by the first of these.
 */
export function compareRow({ order, collations }: CursorColumns, operator: '>' | '>=' | '=', values: readonly SqliteValue[]): Condition {
  const columns = order.slice(0, values.length)
  const left = columns.map((column) => compared(column, collations)).join(', ')
  // Not every driver can bind an infinity. Literals this large are one (sqlite.org, "Floating Point Numbers").
  const right = values.map((value) => (isInfinite(value) ? `${value < 0 ? '-' : ''}9e999` : '?')).join(', ')
  return { text: columns.length === 1 ? `${left} ${operator} ${right}` : `(${left}) ${operator} (${right})`, parameters: values.filter((value) => !isInfinite(value)) }
}

function isInfinite(value: SqliteValue): value is number {
  return typeof value === 'number' && !Number.isFinite(value)
}
