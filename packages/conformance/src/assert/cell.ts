import type { RowValues, StorageClass, Value } from '@tidemark/core/adapter'

/**
 * A value as SQLite would hold it, as text: `integer:1`, `real:1.5`, `text:"a"`, `blob:00ff`, `null`.
 *
 * Two paths that carry the same row must give the same cells; whether an integer crossed as `1`, `1n` or `true` is
 * a path's own business.
 */
export type Cell = string

export function cell(value: Value, storage: StorageClass): Cell {
  if (value === null) return 'null'
  if (typeof value === 'string') return `text:${JSON.stringify(value)}`
  if (typeof value === 'bigint') return `integer:${value}`
  if (typeof value === 'boolean') return `integer:${value ? 1 : 0}`
  if (value instanceof Uint8Array) return `blob:${hex(value)}`
  return storage === 'real' || !Number.isInteger(value) ? `real:${value}` : `integer:${value}`
}

/** The cells of whole rows, one line each, in column order. */
export function cells(rows: readonly RowValues[], columns: readonly { readonly storage: StorageClass }[]): readonly string[] {
  return rows.map((row) => rowCells(row, columns))
}

export function rowCells(row: RowValues, columns: readonly { readonly storage: StorageClass }[]): string {
  return row.map((value, index) => cell(value, columns[index]?.storage ?? 'text')).join(' | ')
}

export function hex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}
