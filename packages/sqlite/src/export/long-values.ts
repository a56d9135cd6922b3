import { quote } from '../quote.ts'
import type { ExportedTable } from './exported-table.ts'
import { byteLiteralSql, isTextOrBlobSql } from './literal-sql.ts'
import { insertColumns } from './row-literals-sql.ts'
import { oneRowQuery } from './row-query.ts'

/** Bytes of a value that are asked for at a time; twice as many digits come. */
const PIECE_BYTES = 500_000

/**
 * Bytes of texts and blobs that a row may have to be asked for as literals, with others: one of more fits in no statement. `undefined` where a statement may be longer than
 * a value that the host gives: literals take twice as many characters at most, and numbers a few.
 */
export function maxLiteralBytes(maxValueBytes: number | undefined, maxStatementBytes: number): number | undefined {
  return maxValueBytes === undefined || maxValueBytes * 0.45 < maxStatementBytes ? undefined : maxStatementBytes
}

/** Bytes of a row's texts and blobs. */
export function longBytesSql({ columns }: ExportedTable): string {
  return ['0', ...columns.map(({ name }) => `CASE WHEN ${isTextOrBlobSql(quote(name))} THEN octet_length(${quote(name)}) ELSE 0 END`)].join(' + ')
}

export interface LongValuesRequest {
  readonly key: string
  readonly keepRowids: boolean
  readonly maxValueBytes: number
}

/**
 * A row in pieces that are short enough, all in one query: those of a row that is written to meanwhile belong together. Each comes as number of its column, kind, digits or
 * literal, in no order but that of a column's pieces by their number.
 */
export function piecesQuery(table: ExportedTable, { key, keepRowids, maxValueBytes }: LongValuesRequest): string {
  const columns = insertColumns(table, keepRowids)
  // A row at the limit has some bytes more than its values.
  const pieces = Math.ceil(maxValueBytes * 1.1 / PIECE_BYTES)
  const row = oneRowQuery(table, { select: columns.map((column, index) => `${column} AS v${index}`), key })
  const value = `CASE i / ${pieces} ${columns.map((_, index) => `WHEN ${index} THEN v${index}`).join(' ')} END`
  const isLong = `typeof(value) IN ('text', 'blob')`
  const from = `i % ${pieces} * ${PIECE_BYTES}`
  return `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${columns.length * pieces - 1}), r AS (${row}), c AS (SELECT i, ${value} AS value FROM r, n)
    SELECT i, i / ${pieces}, typeof(value), CASE WHEN ${isLong} THEN hex(substr(CAST(value AS BLOB), 1 + ${from}, ${PIECE_BYTES})) ELSE ${byteLiteralSql('value')} END
    FROM c WHERE i % ${pieces} = 0 OR (${isLong} AND octet_length(value) > ${from})`
}

/** The row's literals, as `columnLiteralsSql` has them; `undefined` for a row that is gone. */
export function joinPieces(rows: readonly (readonly unknown[])[]): readonly string[] | undefined {
  if (rows.length === 0) return undefined
  const kinds: string[] = []
  const texts: string[] = []
  for (const [, column, kind, text] of rows.toSorted(([left], [right]) => Number(left) - Number(right))) {
    kinds[Number(column)] = String(kind)
    texts[Number(column)] = `${texts[Number(column)] ?? ''}${String(text)}`
  }
  return texts.map((text, index) => (kinds[index] === 'text' ? `CAST(X'${text}' AS TEXT)` : kinds[index] === 'blob' ? `X'${text}'` : text))
}
