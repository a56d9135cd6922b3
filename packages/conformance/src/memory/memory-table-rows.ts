import { TidemarkError, type RowValues, type TargetTable, type Value } from '@tidemark/core/adapter'
import { cell, rowCells } from '../assert/cell.ts'
import type { StoredTable } from './memory-target-store.ts'

/** The identity of a row: the cells of its key. A table without key has none, and every row is its own. */
export function keyOfRow(table: TargetTable, values: RowValues): string {
  return keyCells(table, table.key.map((name) => values[indexOf(table, name)] ?? null))
}

export function keyCells(table: TargetTable, key: RowValues): string {
  return key.map((value, index) => cell(value, table.columns[indexOf(table, table.key[index] ?? '')]?.storage ?? 'text')).join(' | ')
}

export function indexOf(table: TargetTable, name: string): number {
  return table.columns.findIndex((column) => column.name === name)
}

/** Inserts or changes one row. Returns whether anything became different. */
export function upsertRow(stored: StoredTable, values: RowValues): boolean {
  const { table, rows } = stored
  const key = table.key.length === 0 ? `row ${rows.size} ${Math.random()}` : keyOfRow(table, values)
  const before = rows.get(key)
  if (before !== undefined && before.deletedAtMs === undefined && rowCells(before.values, table.columns) === rowCells(values, table.columns)) return false
  rows.set(key, { values, deletedAtMs: undefined })
  fire(stored, before === undefined ? 'inserts' : 'updates')
  return true
}

/** Removes a row, or marks it where the table has a column for that. Returns whether there was one. */
export function deleteRow(stored: StoredTable, key: RowValues, atMs: number): boolean {
  const id = keyCells(stored.table, key)
  const before = stored.rows.get(id)
  if (before === undefined || before.deletedAtMs !== undefined) return false
  if (stored.table.deletedAtColumn === undefined) stored.rows.delete(id)
  else stored.rows.set(id, { ...before, deletedAtMs: atMs })
  fire(stored, stored.table.deletedAtColumn === undefined ? 'deletes' : 'updates')
  return true
}

/** Throws `TARGET_CONSTRAINT` when two rows share the columns of an enforced unique index. NULL equals nothing. */
export function checkUniques(stored: StoredTable): void {
  const { table } = stored
  if (!table.enforceUniques) return
  for (const index of table.indexes.filter((one) => one.unique)) {
    const seen = new Set<string>()
    for (const { values } of stored.rows.values()) {
      const parts = index.columns.map((name) => values[indexOf(table, name)] ?? null)
      const text = parts.map((value) => cell(value, 'text')).join(' | ')
      if (parts.includes(null)) continue
      if (seen.has(text)) throw new TidemarkError('TARGET_CONSTRAINT', 'A unique index refused a row.')
      seen.add(text)
    }
  }
}

/** Bytes of a row, roughly. */
export function bytesOf(values: RowValues): number {
  return values.reduce<number>((sum, value) => sum + valueBytes(value), 0)
}

function valueBytes(value: Value): number {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : 8
}

function fire(stored: StoredTable, kind: 'inserts' | 'updates' | 'deletes'): void {
  for (const trigger of stored.triggers) trigger.counts = { ...trigger.counts, [kind]: trigger.counts[kind] + 1 }
}
