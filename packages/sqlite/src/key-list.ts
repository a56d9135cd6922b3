import type { RowValues } from '@tidemark/core/adapter'
import { quote, quoteAll } from './quote.ts'

/** `("a", "b") IN (VALUES (?, ?), …)`, or the plain form for one column, which can use an index on every version. */
export function keyListSql(key: readonly string[], count: number): string {
  const [only, second] = key
  if (only !== undefined && second === undefined) return `${quote(only)} IN (${Array<string>(count).fill('?').join(', ')})`
  const row = `(${key.map(() => '?').join(', ')})`
  return `(${quoteAll(key)}) IN (VALUES ${Array<string>(count).fill(row).join(', ')})`
}

/** Splits keys into lists that fit a statement's parameters. */
export function* keyLists(keys: readonly RowValues[], keyLength: number, maxParameters: number): Generator<readonly RowValues[]> {
  const size = Math.max(1, Math.min(500, Math.floor((maxParameters - 1) / keyLength)))
  for (let start = 0; start < keys.length; start += size) yield keys.slice(start, start + size)
}
