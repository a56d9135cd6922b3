import { TidemarkError, type ReadByKeyRequest, type RowValues } from '@tidemark/core/adapter'
import { compileCell } from './cell-decoder.ts'
import type { RunOptions } from './mysql-link.ts'
import type { Session } from './open-session.ts'
import { findColumn } from './ordering.ts'
import { quoteIdentifier, quoteTable } from './quote.ts'
import { RowCollector } from './row-collector.ts'
import { MysqlRowDecoder } from './row-decoder.ts'
import { selectExpression } from './select-expression.ts'
import { storedLiteral } from './stored-literal.ts'

const MAX_KEYS = 1000

/**
 * Current rows of the given keys. A collation may find a row under another spelling of its key ('a' for 'A'): it is
 * given as it is, and the caller's key then has no row.
 */
export async function readRowsByKey(session: Session, request: ReadByKeyRequest & RunOptions): Promise<readonly RowValues[]> {
  if (request.keys.length > MAX_KEYS) throw new TypeError(`at most ${MAX_KEYS} keys`)
  const condition = keyCondition(request)
  if (condition === undefined) return []
  const decoder = new MysqlRowDecoder({ lead: 0, columns: request.columns.map(compileCell), cursor: undefined })
  const sink = new RowCollector(request.columns.length)
  const sql = `SELECT ${request.columns.map(selectExpression).join(', ')} FROM ${quoteTable(request.table.ref)} WHERE ${condition}`
  await session.link.run(sql, (chunk) => decoder.push(chunk, sink), request)
  decoder.end()
  return sink.rows
}

/** `undefined`: none of the keys can have a row. */
function keyCondition(request: ReadByKeyRequest): string | undefined {
  const columns = request.key.map((name) => findColumn(request.table, name))
  if (columns.length === 0) throw new TidemarkError('KEY_REQUIRED', 'Rows can\'t be read by a key that has no columns.')
  const keys = request.keys
    .map((key) => columns.map((column, i) => storedLiteral(column, key[i] ?? null)))
    .filter((literals): literals is string[] => literals.every((literal) => literal !== undefined))
  if (keys.length === 0) return undefined
  const names = columns.map((column) => quoteIdentifier(column.name))
  if (names.length === 1) return `${names[0] ?? ''} IN (${keys.map((key) => key[0] ?? 'NULL').join(', ')})`
  return keys.map((key) => `(${names.map((name, i) => `${name} = ${key[i] ?? 'NULL'}`).join(' AND ')})`).join(' OR ')
}
