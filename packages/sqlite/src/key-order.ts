import type { RowValues } from '@tidemark/core/adapter'
import type { Collation } from './collated.ts'
import { quote } from './quote.ts'
import { quoteText } from './source/quote-text.ts'

/** A unique index of columns, that of a primary key or another. */
export interface KeyIndex {
  /** Default `main`. */
  readonly schema?: string | undefined
  readonly table: string
  readonly index: string
}

export interface KeyColumn extends Collation {
  readonly name: string
}

export interface KeyOrderRequest extends KeyIndex {
  readonly query: (sql: string) => Promise<readonly RowValues[]>
  /** Where false, nothing that was written about the table names a collation: no column compares otherwise than its key. Default true. */
  readonly namesCollations?: boolean | undefined
}

/**
 * The columns of an index, as its rows are told apart: in pages that were cut by the columns' own collations, those that only the key's tells apart
 * would be passed over.
 */
export async function readKeyOrder({ query, namesCollations = true, ...index }: KeyOrderRequest): Promise<readonly KeyColumn[]> {
  const columns = await query(keyColumnsSql(index))
  return toKeyColumns(columns, namesCollations ? (await query(ownCollationsSql(index, columns)))[0] : undefined)
}

export function keyColumnsSql({ schema = 'main', index }: KeyIndex): string {
  return `SELECT name, coll FROM pragma_index_xinfo(${quoteText(index)}, ${quoteText(schema)}) WHERE key = 1 ORDER BY seqno`
}

/**
 * What the columns take for equal, which tells their own collations: no catalogue does, and EXPLAIN is no query that a batch could hold. A compound SELECT has the
 * collations of its first part, which gives no rows here; a column of a known one stands in front, as proof. `columns`: of {@link keyColumnsSql}.
 */
export function ownCollationsSql({ schema = 'main', table }: KeyIndex, columns: readonly RowValues[]): string {
  const tests = columns.map((_, index) => `, c${index} = 'A' AS n${index}, c${index} = 'a ' AS r${index}`).join('')
  const names = columns.map(([name], index) => `, ${quote(String(name))} AS c${index}`).join('')
  return `SELECT k = 'A' AS k${tests} FROM (SELECT '' COLLATE NOCASE AS k${names} FROM ${quote(schema)}.${quote(table)} WHERE 0 UNION ALL SELECT 'a'${columns.map(() => `, 'a'`).join('')} LIMIT 1)`
}

/** Of the rows of {@link keyColumnsSql} and the row of {@link ownCollationsSql}; without that, every column compares as its key does. */
export function toKeyColumns(columns: readonly RowValues[], own: RowValues | undefined): readonly KeyColumn[] {
  return columns.map(([name, coll], index) => {
    const collation = String(coll)
    return { name: String(name), collation, isOwn: own === undefined || collation.toUpperCase() === ownCollation(own, index) }
  })
}

/** One of SQLite's own three: a connection of ours knows no other. `undefined` where the proof fails. */
function ownCollation([isProof, ...tests]: RowValues, index: number): string | undefined {
  if (Number(isProof) !== 1) return undefined
  if (Number(tests[2 * index]) === 1) return 'NOCASE'
  return Number(tests[2 * index + 1]) === 1 ? 'RTRIM' : 'BINARY'
}
