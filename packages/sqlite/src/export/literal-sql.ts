import { quote } from '../quote.ts'
import { affinityOf } from '../source/column-type.ts'

/**
 * A column's value as a literal that gives the very same value back, with its type, in any SQLite that reads it; an integer may come as it is.
 *
 * `quote()` is exact for integers, finite doubles and blobs. It writes infinities in a way that older versions can't read, and ends a text at
 * its first NUL. What a declared type lets expect is looked for first: each thing that is looked at costs a row more than its bytes do.
 */
export function literalSql(column: string, declaredType = ''): string {
  const value = quote(column)
  if (declaredType === '') return anyLiteralSql(value)
  const affinity = affinityOf(declaredType)
  switch (affinity) {
    case 'text': return textLiteralSql(value)
    // The same digits at a third of what quote() costs.
    case 'integer': return `CASE WHEN typeof(${value}) = 'integer' THEN ${value} ELSE ${anyLiteralSql(value)} END`
    case 'real': return `CASE WHEN ${value} >= -${SURELY_FINITE} COLLATE BINARY AND ${value} <= ${SURELY_FINITE} COLLATE BINARY THEN quote(${value}) ELSE ${anyLiteralSql(value)} END`
    case 'blob': return `CASE WHEN ${value} >= X'' COLLATE BINARY THEN quote(${value}) ELSE ${anyLiteralSql(value)} END`
    case 'numeric': return anyLiteralSql(value)
    default: return affinity satisfies never
  }
}

/** Less than the greatest double, whose digits some version may round up. */
const SURELY_FINITE = '1e308'

/** Of a text or NULL or a blob. */
function textLiteralSql(value: string): string {
  // A text's length in characters ends at its first NUL. Only one that has more bytes than characters need be searched, which costs five times as much.
  const hasNul = `length(${value}) <> octet_length(${value}) AND instr(${value}, char(0)) > 0`
  return `CASE WHEN ${hasNul} THEN ${hexTextSql(value)} ELSE quote(${value}) END`
}

function anyLiteralSql(value: string): string {
  return `CASE WHEN ${isTextOrBlobSql(value)} THEN ${textLiteralSql(value)} ${infinityCases(value)} ELSE quote(${value}) END`
}

/** The same with every text by its bytes: for keys and for texts that are none, which a driver would give back as something else. */
export function byteLiteralSql(column: string): string {
  const value = quote(column)
  return `CASE WHEN typeof(${value}) = 'text' THEN ${hexTextSql(value)} ${infinityCases(value)} ELSE quote(${value}) END`
}

/** Texts come behind all numbers, and blobs behind all texts. A third of what typeof() costs. */
export function isTextOrBlobSql(value: string): string {
  return `${value} >= '' COLLATE BINARY`
}

function infinityCases(value: string): string {
  return `WHEN ${value} = 9e999 THEN '9e999' WHEN ${value} = -9e999 THEN '-9e999'`
}

/** Bytes in the database's own encoding, which a dump of it sets as well. */
function hexTextSql(value: string): string {
  return `'CAST(X''' || hex(CAST(${value} AS BLOB)) || ''' AS TEXT)'`
}
