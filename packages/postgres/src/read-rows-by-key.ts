import type { ColumnSchema, ReadByKeyRequest, RowValues } from '@tidemark/core/adapter'
import { compileCodec } from './column-codec.ts'
import { findColumn } from './cursor-columns.ts'
import type { PostgresSession } from './postgres-session.ts'
import { quoteIdentifier, quoteTable } from './quote.ts'
import { selectExpression } from './select-expression.ts'
import { storedText } from './stored-text.ts'

/**
 * Keys travel as one array of texts per key column, so that the statement is the same for one key and for a thousand.
 * With one column it is `= ANY`, which an index serves in one scan.
 */
export async function readRowsByKey(session: PostgresSession, request: ReadByKeyRequest): Promise<readonly RowValues[]> {
  if (request.keys.length === 0) return []
  const key = request.key.map((name) => findColumn(request.table, name))
  const parameters = key.map((column, i) => arrayLiteral(request.keys.map((values) => storedText(column, values[i] ?? null))))
  const codecs = request.columns.map(compileCodec)
  const rows = await session.query({ text: statement(request, key), parameters, signal: request.signal })
  return rows.map((row) => codecs.map((codec, i) => {
    const text = row[i]
    return text === null || text === undefined ? null : codec(text)
  }))
}

function statement(request: ReadByKeyRequest, key: readonly ColumnSchema[]): string {
  // A table without a column in the list is still asked for its rows.
  const selected = request.columns.length === 0 ? 'NULL' : request.columns.map(selectExpression).join(', ')
  return `SELECT ${selected} FROM ${quoteTable(request.table.ref)} WHERE ${condition(key)}`
}

function condition(key: readonly ColumnSchema[]): string {
  const [only] = key
  if (key.length === 1 && only !== undefined) {
    return `${quoteIdentifier(only.name)} = ANY ($1::pg_catalog.text${storedCast(only, '[]')})`
  }
  const names = key.map((column) => quoteIdentifier(column.name)).join(', ')
  const cells = key.map((column, i) => `wanted.k${i}${storedCast(column, '')}`).join(', ')
  const arrays = key.map((_, i) => `pg_catalog.unnest($${i + 1}::pg_catalog.text::pg_catalog.text[])`).join(', ')
  return `(${names}) IN (SELECT ${cells} FROM ROWS FROM (${arrays}) AS wanted(${key.map((_, i) => `k${i}`).join(', ')}))`
}

/** From the stored form's text to the column's type. Stored money is a number, which is not the text of money everywhere. */
function storedCast(column: ColumnSchema, array: '' | '[]'): string {
  const via = column.sourceType === 'money' && column.logicalType === 'decimal' ? `::pg_catalog.numeric${array}` : ''
  return `${via}::${column.sourceType}${array}`
}

/** Manual, 8.15.2: every element quoted, so that none is taken for NULL or for syntax. */
function arrayLiteral(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`).join(',')}}`
}
