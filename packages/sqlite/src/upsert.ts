import type { RowValues, TargetTable, Value } from '@tidemark/core/adapter'
import type { SqliteValue } from './driver.ts'
import { quote, quoteAll } from './quote.ts'
import { runEach } from './run-each.ts'
import type { RowTally, TargetTransaction } from './target-driver.ts'

/** Beyond some fifty rows a longer statement gains nothing, and each length is prepared once. */
const ROWS_PER_STATEMENT = 50

/**
 * `ON CONFLICT (key) DO UPDATE`, not `INSERT OR REPLACE`: REPLACE deletes first, which fires cascades, loses columns
 * that only exist here and evicts rows by secondary keys. Rows that are equal already are left alone, so that
 * re-reading the unsettled window wakes no listener and costs no page write.
 */
export function upsertSql(table: TargetTable, rowCount: number): string {
  const names = table.columns.map((column) => column.name)
  const row = `(${names.map(() => '?').join(', ')})`
  const insert = `INSERT INTO ${quote(table.name)} (${quoteAll(names)}) VALUES ${Array<string>(rowCount).fill(row).join(', ')}`
  if (table.key.length === 0) return insert
  const conflict = `${insert} ON CONFLICT (${quoteAll(table.key)}) DO`
  const others = names.filter((name) => !table.key.includes(name))
  const assignments = others.map((name) => `${quote(name)} = excluded.${quote(name)}`)
  const differences = others.map((name) => `${quote(table.name)}.${quote(name)} IS NOT excluded.${quote(name)}`)
  if (table.deletedAtColumn !== undefined) {
    assignments.push(`${quote(table.deletedAtColumn)} = NULL`)
    differences.push(`${quote(table.name)}.${quote(table.deletedAtColumn)} IS NOT NULL`)
  }
  if (assignments.length === 0) return `${conflict} NOTHING`
  return `${conflict} UPDATE SET ${assignments.join(', ')} WHERE ${anyOf(differences)}`
}

/** Some hosts allow an expression to be 100 deep, and a chain of OR is as deep as it has terms. */
const TERMS_IN_A_CHAIN = 40

function anyOf(terms: readonly string[]): string {
  if (terms.length <= TERMS_IN_A_CHAIN) return terms.join(' OR ')
  const chains = Array.from({ length: Math.ceil(terms.length / TERMS_IN_A_CHAIN) }, (_, index) => terms.slice(index * TERMS_IN_A_CHAIN, (index + 1) * TERMS_IN_A_CHAIN))
  return anyOf(chains.map((chain) => `(${chain.join(' OR ')})`))
}

export interface UpsertOptions {
  readonly rows: readonly RowValues[]
  readonly maxParameters: number
  /** Of rows that really changed. */
  readonly tally?: RowTally | undefined
}

/** Writes rows in statements of as many as the parameter limit allows. */
export async function upsertRows(
  transaction: Pick<TargetTransaction, 'run' | 'runMany'>, table: TargetTable, { rows, maxParameters, tally }: UpsertOptions,
): Promise<void> {
  const perStatement = Math.max(1, Math.min(ROWS_PER_STATEMENT, Math.floor(maxParameters / table.columns.length)))
  const rest = rows.length - rows.length % perStatement
  if (rest > 0) await runEach(transaction, { sql: upsertSql(table, perStatement), lists: parameterLists(rows, { from: 0, to: rest, size: perStatement }), tally })
  // The rest goes in one statement per row: its length varies, and a statement per length would be prepared each time.
  if (rest < rows.length) await runEach(transaction, { sql: upsertSql(table, 1), lists: parameterLists(rows, { from: rest, to: rows.length, size: 1 }), tally })
}

function* parameterLists(rows: readonly RowValues[], part: { readonly from: number; readonly to: number; readonly size: number }): Generator<SqliteValue[]> {
  for (let at = part.from; at < part.to; at += part.size) yield flatten(rows, at, at + part.size)
}

/** The values of a run of rows as one parameter list. */
export function flatten(rows: readonly RowValues[], start: number, end: number): SqliteValue[] {
  const parameters: SqliteValue[] = []
  for (let index = start; index < end; index += 1) {
    for (const value of rows[index] ?? []) parameters.push(toSqliteValue(value))
  }
  return parameters
}

/** libsql aborts the process on a boolean parameter, so none ever reaches a driver. */
export function toSqliteValue(value: Value): SqliteValue {
  return typeof value === 'boolean' ? Number(value) : value
}
