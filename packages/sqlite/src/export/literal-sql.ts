import { quote } from '../quote.ts'

/**
 * A column's value as a literal that gives the very same value back, with its type, in any SQLite that reads it.
 *
 * `quote()` is exact for integers, finite doubles and blobs. It writes infinities in a way that older versions can't read, and ends a text at
 * its first NUL.
 */
export function literalSql(column: string): string {
  const value = quote(column)
  return `CASE typeof(${value})
    WHEN 'text' THEN CASE WHEN instr(${value}, char(0)) > 0 THEN ${hexTextSql(value)} ELSE quote(${value}) END
    WHEN 'real' THEN ${realSql(value)}
    ELSE quote(${value}) END`
}

/** The same with every text by its bytes: for keys and for texts that are none, which a driver would give back as something else. */
export function byteLiteralSql(column: string): string {
  const value = quote(column)
  return `CASE typeof(${value}) WHEN 'text' THEN ${hexTextSql(value)} WHEN 'real' THEN ${realSql(value)} ELSE quote(${value}) END`
}

function realSql(value: string): string {
  return `CASE WHEN ${value} = 9e999 THEN '9e999' WHEN ${value} = -9e999 THEN '-9e999' ELSE quote(${value}) END`
}

/** Bytes in the database's own encoding, which a dump of it sets as well. */
function hexTextSql(value: string): string {
  return `'CAST(X''' || hex(CAST(${value} AS BLOB)) || ''' AS TEXT)'`
}
