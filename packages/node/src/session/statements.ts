import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** What node:sqlite gives with arrays and bigints on: integers as `bigint`, reals as `number`. */
export type RawValue = null | bigint | number | string | Uint8Array
export type RawRow = readonly RawValue[]
export type Parameter = null | bigint | number | string | Uint8Array

/** A statement whose rows are {@link RawRow}. */
export function prepareRaw(database: DatabaseSync, sql: string): StatementSync {
  const statement = database.prepare(sql)
  statement.setReadBigInts(true)
  statement.setReturnArrays(true)
  return statement
}

export function allRows(database: DatabaseSync, sql: string): readonly RawRow[] {
  return prepareRaw(database, sql).all() as unknown as readonly RawRow[] // as prepareRaw has set it
}

export function oneRow(statement: StatementSync, parameters: readonly Parameter[] = []): RawRow | undefined {
  return statement.get(...parameters) as unknown as RawRow | undefined // as prepareRaw has set it
}

export function eachRow(statement: StatementSync, parameters: readonly Parameter[]): Iterable<RawRow> {
  return statement.iterate(...parameters) as unknown as Iterable<RawRow> // as prepareRaw has set it
}
