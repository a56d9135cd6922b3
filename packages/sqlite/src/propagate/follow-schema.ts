import type { PeerTable } from '@tidemark/core/adapter'
import type { BatchTransaction } from '../driver.ts'
import { quote, quoteAll } from '../quote.ts'
import { hasColumn, type PeerShape } from './peer-shape.ts'

/**
 * Makes the table, or the columns that it lacks, by what the sender says of it: names, types and the key. Defaults, checks, indexes and
 * triggers stay the application's affair.
 */
export async function followSchema(transaction: BatchTransaction, table: PeerTable, shape: PeerShape | undefined): Promise<void> {
  const definition = ({ name, type }: PeerTable['columns'][number]): string => (type === '' ? quote(name) : `${quote(name)} ${typeName(type)}`)
  if (shape === undefined) {
    const columns = table.columns.map((column) => (table.key.includes(column.name) ? `${definition(column)} NOT NULL` : definition(column)))
    await transaction.run(`CREATE TABLE ${quote(table.name)} (${columns.join(', ')}, PRIMARY KEY (${quoteAll(table.key)}))`)
    return
  }
  const missing = table.columns.filter(({ name }) => !hasColumn(shape, name))
  for (const column of missing) await transaction.run(`ALTER TABLE ${quote(table.name)} ADD COLUMN ${definition(column)}`)
}

/** A type is words and perhaps numbers in brackets; anything else is quoted as one word, which SQLite takes for one. */
function typeName(type: string): string {
  // The table that is made is not strict.
  if (type.toUpperCase() === 'ANY') return 'BLOB'
  return /^[A-Za-z_][\w ]*(?:\(\s*[+-]?\d+(?:\s*,\s*[+-]?\d+)?\s*\))?$/.test(type) ? type : quote(type)
}
