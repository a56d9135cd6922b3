import { collated } from '../collated.ts'
import { quote } from '../quote.ts'
import type { ExportedTable, KeyTerm } from './exported-table.ts'
import { byteLiteralSql } from './literal-sql.ts'

export interface RowQueryOptions {
  /** Expressions that are selected behind the key. */
  readonly select: readonly string[]
  /** Literals of the key behind which to begin: `1, X'00'`. */
  readonly after: string | undefined
  readonly limit: number
  /** Rows of which nothing is read. Default 0. */
  readonly offset?: number | undefined
}

/**
 * Rows in key order. The first column is the key as a list of literals, which is what a cursor holds: an integer beyond 2^53, a blob or a text of any
 * bytes comes back as it was. They are written into the query's text, since a page is read once.
 */
export function rowQuery(table: ExportedTable, { select, after, limit, offset = 0 }: RowQueryOptions): string {
  const order = table.key.map(termSql).join(', ')
  const columns = [keyLiteralSql(table), ...select].join(', ')
  if (table.source !== undefined) return `SELECT ${columns} FROM ${table.source({ after, limit })} ORDER BY ${order} LIMIT ${limit}`
  const conditions = [
    // The line break ends a comment in what the developer wrote.
    ...(table.where === undefined ? [] : [`(${table.where}\n)`]),
    ...(after === undefined ? [] : [`(${order}) > (${after})`]),
  ]
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
  return `SELECT ${columns} FROM main.${quote(table.name)}${where} ORDER BY ${order} LIMIT ${limit}${offset === 0 ? '' : ` OFFSET ${offset}`}`
}

/** One row again, by its key. */
export function oneRowQuery(table: ExportedTable, { select, key }: { readonly select: readonly string[]; readonly key: string }): string {
  if (table.source !== undefined) return `SELECT ${select.join(', ')} FROM ${table.source({ only: key, limit: 1 })}`
  return `SELECT ${select.join(', ')} FROM main.${quote(table.name)} WHERE (${table.key.map(termSql).join(', ')}) = (${key})`
}

function termSql(term: KeyTerm): string {
  return collated(term.expression, term)
}

/** The row number as a text: a host that has no integers but doubles would round it. */
function keyLiteralSql({ key }: ExportedTable): string {
  return key.map(({ column, expression }) => (column === undefined ? `CAST(${expression} AS TEXT)` : byteLiteralSql(column))).join(` || ', ' || `)
}
