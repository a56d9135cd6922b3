import { sql, type Expression, type Kysely, type RawBuilder, type SelectQueryBuilder, type SqlBool } from 'kysely'
import type { Value } from '../change/value.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import type { Cursor } from './cursor.ts'
import type { KyselyTables } from './kysely-source.ts'
import { cursorValue } from './kysely-source-values.ts'
import type { ColumnSchema, TableSchema } from './table.ts'

/** Rows come by alias: `c0`, `c1` … for the columns wanted, `p0` … for the position. No name of the user can collide. */
export type AliasedRow = Readonly<Record<string, unknown>>

export type AliasedQuery = SelectQueryBuilder<KyselyTables, 't', AliasedRow>

/** A table with the columns that order a read. */
export interface Ordering {
  readonly table: TableSchema
  /** Tracking column first, where there is one, then the key. */
  readonly position: readonly ColumnSchema[]
}

/** Errors: `COLUMN_UNKNOWN`. */
export function columnNamed(table: TableSchema, name: string): ColumnSchema {
  const found = table.columns.find((column) => column.name === name)
  if (found === undefined) throw new TidemarkError('COLUMN_UNKNOWN', `Table ${JSON.stringify(table.ref.name)} has no column ${JSON.stringify(name)}.`)
  return found
}

export function orderingOf(table: TableSchema, tracking: string | undefined, key: readonly string[]): Ordering {
  return { table, position: [...(tracking === undefined ? [] : [tracking]), ...key].map((name) => columnNamed(table, name)) }
}

/** `select … from table as t`, without order or condition. */
export function selectRows(database: Kysely<KyselyTables>, ordering: Ordering, columns: readonly ColumnSchema[]): AliasedQuery {
  const { table, position } = ordering
  for (const column of columns) columnNamed(table, column.name)
  const path = table.ref.schema === undefined ? [table.ref.name] : [table.ref.schema, table.ref.name]
  const from = sql<Readonly<Record<string, unknown>>>`${sql.id(...path)}`.as('t')
  const selections = [
    ...columns.map((column, index) => nameOf(column).as(`c${index}`)),
    ...position.map((column, index) => nameOf(column).as(`p${index}`)),
  ]
  // A raw table and raw selections have no static row type: the aliases above are the contract.
  return database.selectFrom(from).select(selections) as AliasedQuery
}

/** Columns are always written with their table: SQLite takes an unknown name in quotes alone for a text literal. */
export function nameOf(column: ColumnSchema): RawBuilder<unknown> {
  return sql`${sql.id('t', column.name)}`
}

export function ordered(query: AliasedQuery, ordering: Ordering, direction: 'asc' | 'desc' = 'asc'): AliasedQuery {
  return ordering.position.reduce<AliasedQuery>((built, column) => built.orderBy(nameOf(column), direction), query)
}

/** Values of a cursor in the order of the position. */
export function placeOf(cursor: Cursor, ordering: Ordering): readonly Value[] {
  const texts = cursor.tracking === undefined ? cursor.key : [cursor.tracking, ...cursor.key]
  const isBeforeAll = cursor.tracking !== undefined && cursor.key.length === 0
  if (texts.length !== ordering.position.length && !isBeforeAll) throw new TypeError('The cursor has another number of parts than the order of the read.')
  return ordering.position.slice(0, texts.length).map((column, index) => cursorValue(texts[index] ?? '', column))
}

/**
 * Rows strictly after a place: `a >= x and (a > x or (a = x and (b > y or …)))`. Written out, because not every engine
 * compares rows; the first condition alone is one that every planner takes to an index.
 */
export function isAfter(ordering: Ordering, place: readonly Value[]): RawBuilder<SqlBool> {
  const [first] = ordering.position
  // A cursor without key stands before all rows of its tracking value.
  if (first !== undefined && place.length < ordering.position.length) return sql<SqlBool>`${nameOf(first)} >= ${place[0]}`
  const strictly = strictlyAfter(ordering.position, place)
  return first === undefined ? strictly : sql<SqlBool>`(${nameOf(first)} >= ${place[0]} and ${strictly})`
}

export function isAt(columns: readonly ColumnSchema[], place: readonly Value[]): RawBuilder<SqlBool> {
  const parts: Expression<unknown>[] = columns.map((column, index) => sql`${nameOf(column)} = ${place[index]}`)
  return sql<SqlBool>`(${sql.join(parts, sql` and `)})`
}

function strictlyAfter(columns: readonly ColumnSchema[], place: readonly Value[]): RawBuilder<SqlBool> {
  const [first, ...rest] = columns
  if (first === undefined) return sql<SqlBool>`1 = 0`
  const greater = sql<SqlBool>`${nameOf(first)} > ${place[0]}`
  if (rest.length === 0) return greater
  return sql<SqlBool>`(${greater} or (${nameOf(first)} = ${place[0]} and ${strictlyAfter(rest, place.slice(1))}))`
}
