import type { Value } from '@tidemark/core/adapter'
import type { Cell } from '../assert/cell.ts'
import { sqliteSyntax } from './sql-syntax.ts'
import type { SqliteOracle } from './sqlite-target-harness.ts'

const { quote } = sqliteSyntax

/** All cells of a table, each by its storage class and its exact content: text by its bytes, so that U+0000 ends nothing. */
export async function sqliteCells(oracle: SqliteOracle, table: string, columns: readonly string[]): Promise<readonly (readonly Cell[])[]> {
  const parts = columns.map(quote).flatMap((name) => [`typeof(${name})`, name, `hex(${name})`])
  const rows = await oracle.query(`select ${parts.join(', ')} from ${quote(table)}`)
  return rows.map((row) => columns.map((_name, index) => cellOf(row[3 * index] ?? null, row[3 * index + 1] ?? null, row[3 * index + 2] ?? null)))
}

function cellOf(type: Value, value: Value, hexText: Value): Cell {
  const digits = String(hexText).toLowerCase()
  switch (type) {
    case 'null': return 'null'
    case 'text': return `text:${JSON.stringify(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytesOf(digits)))}`
    case 'blob': return `blob:${digits}`
    // The text of the number: some drivers round what they give as a number, and lose an infinity.
    case 'integer': return `integer:${asciiOf(digits)}`
    default: return `${String(type)}:${asciiOf(digits).endsWith('Inf') ? asciiOf(digits).replace('Inf', 'Infinity') : String(value)}`
  }
}

function asciiOf(digits: string): string {
  return new TextDecoder().decode(bytesOf(digits))
}

function bytesOf(digits: string): Uint8Array {
  return Uint8Array.from(digits.match(/../gu) ?? [], (pair) => Number.parseInt(pair, 16))
}
