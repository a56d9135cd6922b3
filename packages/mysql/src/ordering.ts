import { TidemarkError, type ColumnSchema, type Cursor, type TableSchema } from '@tidemark/core/adapter'
import { cursorPart, trackingPart, type CursorPart } from './cursor-part.ts'

/** The order of a read: what it compares and how it reads and writes a cursor. */
export interface Ordering {
  readonly tracking: CursorPart | undefined
  readonly key: readonly CursorPart[]
  /** Tracking, then key, each column once: a key that begins with the tracking column does not name it twice. */
  readonly parts: readonly CursorPart[]
}

/** Errors: `COLUMN_UNKNOWN`, `CONFIG_INVALID` for a column that has no order. */
export function orderingOf(table: TableSchema, key: readonly string[], tracking: string | undefined): Ordering {
  const keyParts = key.map((name) => cursorPart(findColumn(table, name)))
  const trackingColumn = tracking === undefined ? undefined : trackingPart(findColumn(table, tracking))
  const rest = keyParts.filter((part) => part.column.name !== tracking)
  return { tracking: trackingColumn, key: keyParts, parts: trackingColumn === undefined ? keyParts : [trackingColumn, ...rest] }
}

export function findColumn(table: TableSchema, name: string): ColumnSchema {
  const column = table.columns.find((candidate) => candidate.name === name)
  if (column !== undefined) return column
  throw new TidemarkError('COLUMN_UNKNOWN', `The table has no column ${name}.`)
}

export function orderBy(ordering: Ordering, direction: 'ASC' | 'DESC' = 'ASC'): string {
  return ordering.parts.map((part) => `${part.sort(part.order)} ${direction}`).join(', ')
}

/** Whether a cursor was made by a read of this order; one of another order says nothing about this one's rows. */
export function fitsOrdering(ordering: Ordering, cursor: Cursor): boolean {
  return (cursor.tracking === undefined) === (ordering.tracking === undefined) && cursor.key.length === ordering.key.length
}

/** The cursor's values as literals, one for each of the ordering's parts. */
function literals(ordering: Ordering, cursor: Cursor): readonly string[] {
  if (!fitsOrdering(ordering, cursor)) throw new TidemarkError('STATE_CORRUPT', 'A stored cursor belongs to another tracking column or key.')
  return ordering.parts.map((part) => part.literal(cursorText(ordering, part, cursor) ?? ''))
}

/** A cursor's text for one of the ordering's parts. */
export function cursorText(ordering: Ordering, part: CursorPart, cursor: Cursor): string | undefined {
  return part === ordering.tracking ? cursor.tracking : cursor.key[ordering.key.indexOf(part)]
}

/** Rows strictly after the cursor. One without key stands before all rows of its tracking value. */
export function after(ordering: Ordering, cursor: Cursor): string {
  const { tracking } = ordering
  if (tracking !== undefined && cursor.tracking !== undefined && cursor.key.length === 0) {
    return from({ tracking, key: [], parts: [tracking] }, cursor)
  }
  return compare(ordering, { cursor, operator: '>', orEqual: false })
}

/** Rows at the cursor or before it. */
export function upTo(ordering: Ordering, cursor: Cursor): string {
  return compare(ordering, { cursor, operator: '<', orEqual: true })
}

/** Rows at the cursor or after it. */
export function from(ordering: Ordering, cursor: Cursor): string {
  return compare(ordering, { cursor, operator: '>', orEqual: true })
}

interface Comparison {
  readonly cursor: Cursor
  readonly operator: '<' | '>'
  readonly orEqual: boolean
}

/**
 * `a >= 1 AND (a > 1 OR (a = 1 AND b > 2))` rather than `(a, b) > (1, 2)`: the server reads an index range from the
 * first term, while it scans the index for a comparison of rows (manual, "Range Optimization of Row Constructor
 * Expressions").
 */
function compare(ordering: Ordering, comparison: Comparison): string {
  const values = literals(ordering, comparison.cursor)
  const { operator, orEqual } = comparison
  const nest = (index: number): string => {
    const name = ordering.parts[index]?.order ?? ''
    const value = values[index] ?? ''
    if (index === values.length - 1) return `${name} ${operator}${orEqual ? '=' : ''} ${value}`
    return `(${name} ${operator} ${value} OR (${name} = ${value} AND ${nest(index + 1)}))`
  }
  const first = `${ordering.parts[0]?.order ?? ''} ${operator}= ${values[0] ?? ''}`
  return values.length === 1 ? nest(0) : `(${first} AND ${nest(0)})`
}
