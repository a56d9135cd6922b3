import { TidemarkError, type Cursor, type RowValues } from '@tidemark/core/adapter'
import { cursorText } from './cursor-text.ts'
import type { CursorColumns } from './cursor-columns.ts'

/** `values` are those of `columns.order`. Errors: `KEY_REQUIRED` for a NULL in the key. */
export function readCursor(columns: CursorColumns, values: RowValues): Cursor {
  const key = columns.key.map((column) => {
    const value = values[columns.order.indexOf(column)] ?? null
    if (value === null) throw new TidemarkError('KEY_REQUIRED', `The key column '${column.name}' holds a NULL, so it can't identify rows.`)
    return cursorText(value)
  })
  const tracking = columns.tracking === undefined ? null : values[0] ?? null
  return tracking === null ? { key } : { tracking: cursorText(tracking), key }
}

/** SQLite lets NULLs into most primary keys, and a comparison would pass them over without a word. */
export function requireKeys(columns: CursorColumns, values: RowValues): void {
  const missing = columns.order.find((column, index) => values[index] === null && columns.key.includes(column))
  if (missing !== undefined) throw new TidemarkError('KEY_REQUIRED', `The key column '${missing.name}' holds a NULL, so it can't identify rows.`)
}
