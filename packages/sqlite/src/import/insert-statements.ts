import { TidemarkError, hex, type RowValues, type TargetTable, type Value } from '@tidemark/core/adapter'
import type { SqliteQuery, SqliteValue } from '../driver.ts'
import { quote, quoteAll } from '../quote.ts'

export interface StatementLimits {
  readonly maxParameters: number
  /** In units of UTF-16, of which each is three bytes at most. A single row may be longer, by its columns. */
  readonly maxLength: number
}

/** Longer texts and bytes are parameters. */
const MAX_LITERAL = 200

/**
 * Rows as INSERT statements that have most of their values in their text: for hosts that take few parameters, and bind every number as a double, by which an
 * integer of a column without a type would become 1.0.
 *
 * Errors: `VALUE_UNREPRESENTABLE` for NaN, which SQLite has not.
 */
export function* insertStatements({ name, columns }: TargetTable, rows: readonly RowValues[], { maxParameters, maxLength }: StatementLimits): Generator<SqliteQuery> {
  const head = `INSERT INTO ${quote(name)} (${quoteAll(columns.map((column) => column.name))}) VALUES `
  let sql = head
  let parameters: SqliteValue[] = []
  for (const row of rows) {
    const own: SqliteValue[] = []
    const text = `(${columns.map((column, index) => literal(row[index] ?? null, column, own)).join(',')})`
    if (sql !== head && (parameters.length + own.length > maxParameters || sql.length + text.length >= maxLength)) {
      yield { sql, parameters }
      sql = head
      parameters = []
    }
    sql += sql === head ? text : `,${text}`
    parameters.push(...own)
  }
  if (sql !== head) yield { sql, parameters }
}

type Column = Pick<TargetTable['columns'][number], 'name' | 'storage'>

/** What is longer is added to the parameters. */
function literal(value: Value, column: Column, parameters: SqliteValue[]): string {
  switch (typeof value) {
    case 'string': return value.length > MAX_LITERAL || value.includes('\0') ? parameter(value, parameters) : `'${value.replaceAll('\'', '\'\'')}'`
    case 'number': return numberLiteral(value, column)
    case 'bigint': return integerLiteral(value, column)
    case 'boolean': return value ? '1' : '0'
    default: return value === null ? 'NULL' : value.length > MAX_LITERAL ? parameter(value, parameters) : `X'${hex(value)}'`
  }
}

function parameter(value: SqliteValue, parameters: SqliteValue[]): string {
  parameters.push(value)
  return '?'
}

/** A longer one would be read as a double. */
function integerLiteral(value: bigint, { name }: Column): string {
  if (BigInt.asIntN(64, value) !== value) throw new TidemarkError('VALUE_UNREPRESENTABLE', `SQLite has no integer as large as one in column '${name}'.`)
  return value.toString()
}

/** The shortest text of a double is read as that one again. In a column of integers, one that was read as a number is one of them. */
function numberLiteral(value: number, { name, storage }: Column): string {
  if (Number.isNaN(value)) throw new TidemarkError('VALUE_UNREPRESENTABLE', `SQLite has no NaN, as there is one in column '${name}'.`)
  if (!Number.isFinite(value)) return value > 0 ? '9e999' : '-9e999'
  if (Object.is(value, -0)) return '-0.0'
  const text = String(value)
  return Number.isInteger(value) && !(storage === 'integer' && Number.isSafeInteger(value)) && !text.includes('e') ? `${text}.0` : text
}
