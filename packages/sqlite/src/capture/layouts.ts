import type { RowValues } from '@tidemark/core/adapter'
import type { BatchTransaction } from '../driver.ts'
import type { LogNames } from './log-names.ts'
import type { TableLayout } from './table-layout.ts'

/** A layout as it is kept, with what its triggers were made for. */
export interface StoredLayout {
  readonly layout: TableLayout
  readonly signature: string
  /** Whether the table's triggers write it now. */
  readonly isCurrent: boolean
}

export async function readLayouts(transaction: Pick<BatchTransaction, 'query'>, names: LogNames): Promise<readonly StoredLayout[]> {
  return toLayouts(await transaction.query(layoutsSql(names)))
}

export function layoutsSql(names: LogNames): string {
  return `SELECT signature, layout, is_current FROM ${names.layouts} ORDER BY id`
}

export function toLayouts(rows: readonly RowValues[]): readonly StoredLayout[] {
  // Written below by this format's code; another format was refused when the log was opened.
  return rows.map(([signature, layout, isCurrent]) => ({
    layout: JSON.parse(String(layout)) as TableLayout, signature: String(signature), isCurrent: Number(isCurrent) === 1,
  }))
}

/** JSON leaves out what is undefined, and that is how `rowid` is read back. */
export async function writeLayout(transaction: BatchTransaction, names: LogNames, stored: StoredLayout): Promise<void> {
  const { layout, signature } = stored
  await transaction.run(`INSERT INTO ${names.layouts} VALUES (?, ?, ?, ?, ?)`, [layout.id, layout.table, signature, JSON.stringify(layout), stored.isCurrent ? 1 : 0])
}

export async function retireLayout(transaction: BatchTransaction, names: LogNames, id: number): Promise<void> {
  await transaction.run(`UPDATE ${names.layouts} SET is_current = 0 WHERE id = ?`, [id])
}

/** Ids are never given twice: entries of a retired layout may still be in the log. */
export function nextLayoutId(stored: readonly StoredLayout[]): number {
  return Math.max(0, ...stored.map(({ layout }) => layout.id)) + 1
}
