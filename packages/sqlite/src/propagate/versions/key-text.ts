import type { PeerTable, RowValues, Value } from '@tidemark/core/adapter'
import type { SqliteValue } from '../../driver.ts'
import { affinityOf } from '../../source/column-type.ts'

/**
 * A key as one text, made by SQLite, so that equal keys have equal texts and no others: the storage class of each value and its digits or
 * bytes. Two doubles that differ in their last bits only may have one text.
 */
export function keyTextSql(expressions: readonly string[], collations: readonly (string | undefined)[] = []): string {
  return expressions.map((expression, index) => valueText(folded(expression, collations[index]))).join(` || ',' || `)
}

function valueText(expression: string): string {
  return `CASE typeof(${expression}) WHEN 'text' THEN 't' || hex(CAST(${expression} AS BLOB)) WHEN 'blob' THEN 'b' || hex(${expression}) ELSE substr(typeof(${expression}), 1, 1) || ${expression} END`
}

/** What the key's index calls equal is one key. */
function folded(expression: string, collation: string | undefined): string {
  if (collation === 'NOCASE') return `CASE typeof(${expression}) WHEN 'text' THEN lower(${expression}) ELSE ${expression} END`
  return collation === 'RTRIM' ? `CASE typeof(${expression}) WHEN 'text' THEN rtrim(${expression}, ' ') ELSE ${expression} END` : expression
}

/** The values that a text was made of; `decode` for texts in the database's encoding. */
export function parseKeyText(text: string, decode: (bytes: Uint8Array) => string): RowValues {
  return text.split(',').map((part): Value => {
    const rest = part.slice(1)
    switch (part.charAt(0)) {
      case 't': return decode(bytesOf(rest))
      case 'b': return bytesOf(rest)
      case 'i': return BigInt(rest)
      case 'r': return Number(rest)
      default: return null
    }
  })
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, index) => Number.parseInt(text.slice(index * 2, index * 2 + 2), 16))
}

/** A key's values as they are stored: drivers bind a whole number as a double, which has another text until it is in its column. */
export function boundKey(table: PeerTable, key: RowValues): SqliteValue[] {
  return key.map((value, index) => {
    if (typeof value === 'boolean') return BigInt(value)
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) return value
    const affinity = affinityOf(table.columns.find(({ name }) => name === table.key[index])?.type ?? '')
    return affinity === 'integer' || affinity === 'numeric' ? BigInt(value) : value
  })
}

/** The key's values of a row. */
export function keyOfRow({ key, columns }: PeerTable, row: RowValues): RowValues {
  return key.map((name) => row[columns.findIndex((column) => column.name === name)] ?? null)
}
