import { quote } from '../../quote.ts'
import { collated } from '../../collated.ts'
import type { ExportedTable, KeyTerm, SourcePage } from '../exported-table.ts'
import { undoColumns } from './undo-table.ts'

/**
 * A table as it was at the instant, for one page: rows that nobody touched as they are, and old images of the others. One statement reads both, so that no
 * write comes in between. Each side gives at most a page by itself, in key order: neither is read to its end.
 */
export function corrected(table: ExportedTable, undoTable: string): ExportedTable {
  const terms = table.key.map((_, index) => `tidemark_k${index}`)
  const key = table.key.map(({ column, collation }, index): KeyTerm => ({ expression: quote(terms[index] ?? ''), column: column === undefined ? undefined : terms[index], collation, isOwn: false }))
  return { ...table, key, rowid: table.rowid === undefined ? undefined : quote(terms[0] ?? ''), where: undefined, source: (page) => sourceSql(table, { undoTable, terms, ...page }) }
}

interface SourceRequest extends SourcePage {
  readonly undoTable: string
  readonly terms: readonly string[]
}

function sourceSql(table: ExportedTable, { undoTable, terms, after, only, limit }: SourceRequest): string {
  const { key, values } = undoColumns(table)
  const names = table.columns.map(({ name }) => quote(name))
  const isTouched = `EXISTS (SELECT 1 FROM main.${undoTable} AS u WHERE ${table.key.map(({ expression }, index) => `u.k${index} IS t.${expression}`).join(' AND ')})`
  const live = `SELECT ${[...table.key.map(({ expression }, index) => `t.${expression} AS ${quote(terms[index] ?? '')}`), ...names.map((name) => `t.${name} AS ${name}`)].join(', ')} FROM main.${quote(table.name)} AS t`
  const images = `SELECT ${[...key.map((name, index) => `${name} AS ${quote(terms[index] ?? '')}`), ...values.map((name, index) => `${name} AS ${names[index] ?? ''}`)].join(', ')} FROM main.${undoTable}`
  const written = table.where === undefined ? [] : [`(${table.where}\n)`]
  const behind = (expressions: readonly string[]): readonly string[] => [
    ...(after === undefined ? [] : [`(${expressions.join(', ')}) > (${after})`]), ...(only === undefined ? [] : [`(${expressions.join(', ')}) = (${only})`]),
  ]
  const order = (expressions: readonly string[]): string => ` ORDER BY ${expressions.join(', ')} LIMIT ${limit}`
  const liveKey = table.key.map((term) => collated(`t.${term.expression}`, term))
  const where = (conditions: readonly string[]): string => (conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`)
  // The condition is the developer's, and names columns of the table: of an image it sees the same names.
  const wanted = written.length === 0 ? `${images}${where(['e = 1', ...behind(key)])}` : `SELECT * FROM (${images}${where(['e = 1', ...behind(key)])})${where(written)}`
  // Columns of images are declared with the key's collations.
  const imageOrder = written.length === 0 ? key : terms.map(quote)
  return `(SELECT * FROM (${live}${where([`NOT ${isTouched}`, ...behind(liveKey), ...written])}${order(liveKey)}) UNION ALL SELECT * FROM (${wanted}${order(imageOrder)}))`
}
