import { quote } from '../quote.ts'
import type { ExportedTable } from './exported-table.ts'
import { byteLiteralSql, literalSql } from './literal-sql.ts'

/** What is written of each row: its columns, and before them the row number where it is kept. */
export function insertColumns(table: ExportedTable, keepRowids: boolean): readonly string[] {
  const names = table.columns.map(({ name }) => quote(name))
  return writesRowid(table, keepRowids) && table.rowid !== undefined ? [table.rowid, ...names] : names
}

/** The row's literals with commas between them, as one text: a page of rows then crosses into JavaScript as one text each, whatever their columns. */
export function rowLiteralsSql(table: ExportedTable, keepRowids: boolean): string {
  return rowText(literalsOf(table, keepRowids, literalSql))
}

/** The same with texts by their bytes. */
export function rowBytesSql(table: ExportedTable, keepRowids: boolean): string {
  return rowText(literalsOf(table, keepRowids, byteLiteralSql))
}

/** One literal a column. Row numbers as texts too: a host that has no integers but doubles would round them. */
export function columnLiteralsSql(table: ExportedTable, keepRowids: boolean): readonly string[] {
  return literalsOf(table, keepRowids, byteLiteralSql).map((literal) => `CAST(${literal} AS TEXT)`)
}

function literalsOf(table: ExportedTable, keepRowids: boolean, literal: (column: string, declaredType: string) => string): readonly string[] {
  // The row number is an integer wherever it has a name.
  const [key] = table.rowid === undefined && table.key.length === 1 ? table.key : []
  const literals = table.columns.map(({ name, sourceType }) => (key !== undefined && key.column === undefined && key.expression === quote(name) ? quote(name) : literal(name, sourceType)))
  return writesRowid(table, keepRowids) && table.rowid !== undefined ? [table.rowid, ...literals] : literals
}

/** Rows of a virtual table are known to others by their numbers: those of full text search to the table that has the text. */
function writesRowid(table: ExportedTable, keepRowids: boolean): boolean {
  return table.rowid !== undefined && (keepRowids || table.isVirtual || table.columns.length === 0)
}

/** A text also where there is nothing to join: a host would round an integer that is a value by itself, or refuse it. */
function rowText(literals: readonly string[]): string {
  return literals.length === 1 ? `(${joined(literals)} || '')` : joined(literals)
}

/** In halves: a chain of 2,000 columns would be deeper than the 1,000 levels that SQLite allows an expression. */
function joined(literals: readonly string[]): string {
  const [first = `''`] = literals
  if (literals.length <= 1) return first
  const middle = literals.length >> 1
  return `(${joined(literals.slice(0, middle))} || ',' || ${joined(literals.slice(middle))})`
}
