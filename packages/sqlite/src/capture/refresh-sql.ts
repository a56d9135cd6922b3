import { quote } from '../quote.ts'
import { entrySql, image, slots } from './entry-sql.ts'
import { ENTRY, entryCode, type EntryKind } from './log-entry.ts'
import type { LogNames } from './log-names.ts'
import type { TableLayout } from './table-layout.ts'

/**
 * Logs the rows anew that were touched while the triggers did not fit the table: after ADD COLUMN they log no value of the new
 * column, and a trigger of the user's that fires before ours can make a later change be logged first. The window, changes behind
 * `?1`, is what was logged since the table was last seen to be as the triggers know it.
 */
export function refreshSql(names: LogNames, layouts: { readonly old: TableLayout; readonly current: TableLayout }): readonly string[] {
  const { old, current } = layouts
  const touched = touchedKeys(names, old)
  const columns = keyColumns(current)
  const matches = columns.map((name, index) => `s.${quote(name)} = touched.k${index}`).join(' AND ')
  const keySlots = keySlotsOf(current)
  const gone = slots(keySlots.length).map((_, index) => `touched.k${index}`)
  // A key with a NULL finds no row and is none.
  const isKey = columns.map((_, index) => `touched.k${index} IS NOT NULL`).join(' AND ')
  return [
    entrySql(names, current, { kind: ENTRY.refresh, values: image(current, 's'), from: `FROM (${touched}) AS touched JOIN ${quote(current.table)} AS s ON ${matches}` }),
    entrySql(names, current, {
      kind: ENTRY.refreshGone, values: gone,
      from: `FROM (${touched}) AS touched WHERE ${isKey} AND NOT EXISTS (SELECT 1 FROM ${quote(current.table)} AS s WHERE ${matches})`,
    }),
  ]
}

/** Every key that entries of the old layout behind `?1` name, once. */
function touchedKeys(names: LogNames, old: TableLayout): string {
  const codes = (kinds: readonly EntryKind[]): string => kinds.map((kind) => entryCode(old.id, kind)).join(', ')
  const keys = keySlotsOf(old)
  const select = (offset: number, kinds: readonly EntryKind[]): string =>
    `SELECT ${keys.map((slot, index) => `v${slot + offset} AS k${index}`).join(', ')} FROM ${names.log} WHERE seq > ?1 AND k IN (${codes(kinds)})`
  const whole = select(0, [ENTRY.insert, ENTRY.update, ENTRY.delete, ENTRY.updateBefore, ENTRY.updateAfter])
  if (!old.isCombined) return whole
  // The old key of an update: left out where a text did not change, and then it is the new one.
  return `${whole} UNION ${select(image(old, 'NEW').length, [ENTRY.update])}`
}

function keyColumns(layout: TableLayout): readonly string[] {
  return layout.rowid === undefined ? layout.key : [layout.rowid]
}

/** Which values of an image are the key. */
export function keySlotsOf(layout: TableLayout): readonly number[] {
  if (layout.rowid !== undefined) return [0]
  return layout.key.map((key) => layout.columns.findIndex((column) => column.name === key))
}
