import { quote } from '../quote.ts'
import type { ExportedTable } from './exported-table.ts'

/** Holds long values while they are put together. It is made and dropped by the statements of the very row. */
const STAGE = '"tidemark_long_values"'

export interface LongRowOptions {
  /** Names of the row's columns as they stand in SQL. */
  readonly columns: readonly string[]
  /** One for each of them. Texts by their bytes: `CAST(X'…' AS TEXT)`. */
  readonly literals: readonly string[]
  readonly maxStatementBytes: number
}

/**
 * A row that fits in no statement, as several that do. Long values are put together in a table of their own, and the row is inserted once and whole, so
 * that its constraints and triggers see nothing else. Appending copies what is there: a value of n pieces costs n² / 2 of them.
 * The names of very many columns may be too long for a statement all the same.
 */
export function longRowStatements(table: ExportedTable, { columns, literals, maxStatementBytes }: LongRowOptions): readonly string[] {
  // What may stay in the row's own statement: a short number or text. Everything else is put together.
  const inlineBytes = Math.floor(maxStatementBytes / (4 * Math.max(1, literals.length)))
  const pieceDigits = Math.max(2, (maxStatementBytes - 200) & ~1)
  const statements = [`CREATE TABLE ${STAGE} (id INTEGER PRIMARY KEY, value BLOB);\n`]
  const values = literals.map((literal, index) => {
    const long = longValue(literal, inlineBytes)
    if (long === undefined) return literal
    statements.push(`INSERT INTO ${STAGE} VALUES (${index}, X'');\n`)
    for (let at = 0; at < long.hex.length; at += pieceDigits) {
      statements.push(`UPDATE ${STAGE} SET value = CAST(value || X'${long.hex.slice(at, at + pieceDigits)}' AS BLOB) WHERE id = ${index};\n`)
    }
    const value = `SELECT value FROM ${STAGE} WHERE id = ${index}`
    return long.isText ? `(SELECT CAST(value AS TEXT) FROM (${value}))` : `(${value})`
  })
  statements.push(`INSERT INTO ${quote(table.name)}(${columns.join(',')}) VALUES\n(${values.join(',')});\n`, `DROP TABLE ${STAGE};\n`)
  return statements
}

const TEXT = /^CAST\(X'([\dA-F]*)' AS TEXT\)$/
const BLOB = /^X'([\dA-F]*)'$/

function longValue(literal: string, inlineBytes: number): { readonly hex: string; readonly isText: boolean } | undefined {
  if (literal.length <= inlineBytes) return undefined
  const text = TEXT.exec(literal)?.[1]
  if (text !== undefined) return { hex: text, isText: true }
  const blob = BLOB.exec(literal)?.[1]
  return blob === undefined ? undefined : { hex: blob, isText: false }
}
