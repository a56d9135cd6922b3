import { quote } from '../quote.ts'
import { affinityOf } from '../source/column-type.ts'

/**
 * A column's value as a literal that gives the very same value back, with its type, in any SQLite that reads it.
 *
 * `quote()` is exact for integers, finite doubles and blobs. It writes infinities in a way that older versions can't read, and ends a text at
 * its first NUL. A declared type that says text spares a comparison.
 */
export function literalSql(column: string, declaredType = ''): string {
  const value = quote(column)
  // A text's length in characters ends at its first NUL. Only one that has more bytes than characters need be searched, which costs five times as much.
  const hasNul = `length(${value}) <> octet_length(${value}) AND instr(${value}, char(0)) > 0`
  const text = `CASE WHEN ${hasNul} THEN ${hexTextSql(value)} ELSE quote(${value}) END`
  return affinityOf(declaredType) === 'text' ? text : `CASE WHEN ${isTextOrBlobSql(value)} THEN ${text} ${infinityCases(value)} ELSE quote(${value}) END`
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
