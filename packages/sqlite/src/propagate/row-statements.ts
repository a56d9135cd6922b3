import type { PeerTable } from '@tidemark/core/adapter'
import { quote, quoteAll } from '../quote.ts'
import type { PeerShape } from './peer-shape.ts'
import { keyTextSql } from './versions/key-text.ts'

/** How rows are written. */
export interface RowStatements {
  /** Of so many rows, each all columns in the sender's order. */
  upsert(rows: number): string
  /** By the values of one key. */
  readonly delete: string
  /** Takes the keys of the rows that are there now by these keys into the list of those copied; origin, name, then the key. */
  readonly noteCopied: string
  /** Deletes the rows that are not in that list; origin and name. */
  readonly sweep: string
  readonly truncate: string
}

export interface StatementOptions {
  /** `update` leaves a row of another key alone, so that one which this database should not have is an error; `replace` deletes it. */
  readonly conflict: 'update' | 'replace'
  /** The table of copied keys, quoted. */
  readonly copied: string
}

/**
 * The sender's own writes came in this order, each after the rows that it replaced were gone, so that no unique key can be in the way at any
 * moment, unless this database has other rows than the sender's had.
 */
export function rowStatements(table: PeerTable, shape: PeerShape, { conflict, copied }: StatementOptions): RowStatements {
  const name = `main.${quote(table.name)}`
  const columns = table.columns.map((column) => column.name)
  const row = `(${columns.map(() => '?').join(', ')})`
  const tail = conflict === 'replace' ? '' : ` ${onConflict(table, shape)}`
  const insert = `INSERT ${conflict === 'replace' ? 'OR REPLACE ' : ''}INTO ${name} (${quoteAll(columns)}) VALUES `
  const isKey = table.key.map((column) => `${collated(column, shape)} = ?`).join(' AND ')
  const keyText = keyTextSql(table.key.map(quote), table.key.map((column) => shape.collations.get(column)))
  return {
    upsert: (rows) => `${insert}${Array<string>(rows).fill(row).join(', ')}${tail}`,
    delete: `DELETE FROM ${name} WHERE ${isKey}`,
    noteCopied: `INSERT OR IGNORE INTO ${copied} SELECT ?, ?, ${keyText} FROM ${name} WHERE ${isKey}`,
    sweep: `DELETE FROM ${name} WHERE ${keyText} NOT IN (SELECT key FROM ${copied} WHERE origin = ? AND name = ?)`,
    truncate: `DELETE FROM ${name}`,
  }
}

const BINARY = 'BINARY'

function onConflict(table: PeerTable, shape: PeerShape): string {
  // A key that is compared by other than its bytes may be written in two ways.
  const set = table.columns.map((column) => column.name).filter((column) => !table.key.includes(column) || (shape.collations.get(column) ?? BINARY) !== BINARY)
  const target = `ON CONFLICT (${table.key.map((column) => collated(column, shape)).join(', ')}) DO`
  // A row that is all key is written again too: where several write, it may have a newer version.
  if (set.length === 0) set.push(...table.key)
  return `${target} UPDATE SET ${set.map((column) => `${quote(column)} = excluded.${quote(column)}`).join(', ')}`
}

function collated(column: string, shape: PeerShape): string {
  const collation = shape.collations.get(column)
  return collation === undefined ? quote(column) : `${quote(column)} COLLATE ${quote(collation)}`
}
