import { quote } from '../quote.ts'
import { entryCode, ENTRY, type EntryKind } from './log-entry.ts'
import type { LogNames } from './log-names.ts'
import { isLeftOut, type LayoutColumn, type TableLayout } from './table-layout.ts'

/** Where the values of an image come from: `NEW`, `OLD`, the table itself under an alias, or a note. */
export type ImageRow = 'NEW' | 'OLD' | 's' | 'n'

/** The expressions of an image, in the order of the entry's values. */
export function image(layout: TableLayout, row: ImageRow): readonly string[] {
  if (row === 'n') return slots(layout.columns.length + (layout.rowid === undefined ? 0 : 1)).map((slot) => `n.${slot}`)
  const columns = layout.columns.map((column) => `${row}.${quote(column.name)}`)
  return layout.rowid === undefined ? columns : [`${row}.${quote(layout.rowid)}`, ...columns]
}

/** `v0`, `v1`, … */
export function slots(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `v${index}`)
}

export interface Entry {
  readonly kind: EntryKind
  readonly values: readonly string[]
  /** FROM and WHERE of a statement that may log none or several; absent: exactly one entry. */
  readonly from?: string | undefined
}

/** One statement of a trigger. No column of the log has a constraint, so no policy of the user's statement can make it fail. */
export function entrySql(names: LogNames, layout: TableLayout, entry: Entry): string {
  const code = entryCode(layout.id, entry.kind)
  const into = `INSERT INTO ${names.log} (k, ${slots(entry.values.length).join(', ')})`
  const values = [code, ...entry.values].join(', ')
  return entry.from === undefined ? `${into} VALUES (${values});` : `${into} SELECT ${values} ${entry.from};`
}

/** The statements that log an update, whose old row is OLD or a note. */
export function updateSql(names: LogNames, layout: TableLayout, old: { readonly row: 'OLD' | 'n'; readonly from?: string | undefined }): string {
  const before = image(layout, old.row)
  const after = image(layout, 'NEW')
  const { from } = old
  if (!layout.isCombined) {
    return [
      entrySql(names, layout, { kind: ENTRY.updateBefore, values: before, from }),
      entrySql(names, layout, { kind: ENTRY.updateAfter, values: after, from }),
    ].join(' ')
  }
  const offset = layout.rowid === undefined ? 0 : 1
  const shortened = before.map((value, index) => {
    const column = layout.columns[index - offset]
    return column === undefined || !isLeftOut(column) ? value : unlessEqual(column, value, after[index] ?? 'NULL')
  })
  return entrySql(names, layout, { kind: ENTRY.update, values: [...after, ...shortened], from })
}

/**
 * The old value where it differs, NULL where it is equal, and the new value again where the old one was NULL: a value that differs can
 * be neither, so nothing is ambiguous and no value needs a mark beside it.
 *
 * Without affinity 1 and 1.0 are equal and yet not the same. Where the new value is a number (which is less than any text) the old one is
 * written as it is: that is cheaper than asking for their classes.
 */
function unlessEqual(column: LayoutColumn, before: string, after: string): string {
  // The column's own collation may call texts equal that are not.
  const differs = `WHEN ${after} COLLATE BINARY IS NOT ${before} THEN ifnull(${before}, ${after})`
  return column.affinity === 'blob' ? `CASE WHEN ${after} < '' THEN ${before} ${differs} END` : `CASE ${differs} END`
}
