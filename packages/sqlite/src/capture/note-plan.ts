import { quote } from '../quote.ts'
import type { CapturedTable } from './captured-table.ts'
import type { TableLayout } from './table-layout.ts'
import { withNewRow } from './unique-keys.ts'

/** When to note the rows that a write may replace. */
export type ReplacePolicy = 'auto' | 'exact'

/** How rows that a write may replace are found and told apart. */
export interface NotePlan {
  /** For each unique key, when a row `s` has the same as NEW. */
  readonly conflicts: readonly string[]
  /** When `s` has NEW's row number, where a write may choose it; `undefined` where it is a key already or there is none. */
  readonly rowidConflict: string | undefined
  /** Columns whose update may bring a conflict; `undefined`: any. */
  readonly columns: readonly string[] | undefined
  /** Whether each row that is written is noted too: a trigger of the user's may write one that the write around it replaces. */
  readonly notesWritten: boolean
  /** What identifies a row of the table for the time of one write. */
  identity(row: 'NEW' | 'OLD' | 's'): string
  /** Whether the table has the row that `note`, an alias, is of. */
  exists(note: string): string
  /** Whether the note's key is NEW's. */
  isSameKey(note: string): string
}

/**
 * Notes cost about as much as the log itself, so by default only tables with more than one unique key have them: with a single
 * key REPLACE can only put a row in the place of one with the same key, which an insert applied as an upsert says as well.
 */
export function notePlan(table: CapturedTable, layout: TableLayout, policy: ReplacePolicy): NotePlan | undefined {
  const hasRowidKey = table.isKeyRowid || table.key.length === 0
  const keys = table.uniqueKeys.length + (hasRowidKey ? 1 : 0)
  if (keys < 2 && policy === 'auto') return undefined
  const names = table.columns.map((column) => column.name)
  const rowid = table.rowid === undefined ? undefined : quote(table.rowid)
  const sameRowid = rowid === undefined ? undefined : `s.${rowid} = NEW.${rowid}`
  const indexed = table.uniqueKeys.map((key) => key.conditions.map((condition) => withNewRow(condition, names)).join(' AND '))
  return {
    conflicts: table.isKeyRowid && sameRowid !== undefined ? [sameRowid, ...indexed] : indexed,
    rowidConflict: table.isKeyRowid ? undefined : sameRowid,
    columns: watchedColumns(table),
    notesWritten: table.hasBeforeTriggers,
    ...identities(table, layout),
  }
}

function watchedColumns(table: CapturedTable): readonly string[] | undefined {
  const all: string[] = table.isKeyRowid ? [...table.key] : []
  for (const { columns } of table.uniqueKeys) {
    if (columns === undefined) return undefined
    all.push(...columns)
  }
  return [...new Set(all)]
}

/** By row number where there is one, else by the primary key, which then can't be NULL. */
function identities(table: CapturedTable, layout: TableLayout): Pick<NotePlan, 'identity' | 'exists' | 'isSameKey'> {
  const from = `SELECT 1 FROM ${quote(table.name)} AS s WHERE`
  const isSameKey = (note: string): string => sameKey(table, layout, note)
  if (table.rowid !== undefined) {
    const rowid = quote(table.rowid)
    return { identity: (row) => `${row}.${rowid}`, exists: (note) => `EXISTS (${from} s.${rowid} = ${note}.r)`, isSameKey }
  }
  const [first, ...rest] = table.key.map(quote)
  const whole = [first, ...rest]
  return {
    identity: (row) => (rest.length === 0 ? `${row}.${first}` : whole.map((name) => `quote(${row}.${name})`).join(` || ',' || `)),
    exists: (note) => `EXISTS (${from} ${table.key.map((name) => `s.${quote(name)} = ${note}.${slotOf(layout, name)}`).join(' AND ')})`,
    isSameKey,
  }
}

/** By bytes: what only a collation calls equal is another key to whoever receives it. */
function sameKey(table: CapturedTable, layout: TableLayout, note: string): string {
  if (table.key.length === 0 && table.rowid !== undefined) return `${note}.r = NEW.${quote(table.rowid)}`
  return table.key.map((name) => `NEW.${quote(name)} COLLATE BINARY = ${note}.${slotOf(layout, name)}`).join(' AND ')
}

function slotOf(layout: TableLayout, column: string): string {
  const offset = layout.rowid === undefined ? 0 : 1
  return `v${offset + layout.columns.findIndex(({ name }) => name === column)}`
}
