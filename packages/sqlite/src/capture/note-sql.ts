import { quote, quoteAll } from '../quote.ts'
import { entrySql, image, slots, updateSql } from './entry-sql.ts'
import { ENTRY } from './log-entry.ts'
import { triggerName, type LogNames } from './log-names.ts'
import type { NotePlan } from './note-plan.ts'
import { imageWidth, type TableLayout } from './table-layout.ts'

/*
 * REPLACE deletes rows without firing delete triggers, unless `recursive_triggers` is on (sqlite.org, "ON CONFLICT"). So a BEFORE
 * trigger notes every row that shares a unique key with the new one, and the AFTER trigger logs those that are gone. Where the
 * pragma is on, the delete trigger fires in between, logs the row and takes its note away: nothing is logged twice.
 *
 * A note can outlive its write: OR IGNORE, DO NOTHING and DO UPDATE note a row and insert none. Such a note is never wrong, since
 * any update or delete of its row removes it, and it is used only when its row is gone. That also holds for a write to
 * the same table by a trigger of the user's in between.
 */

/** How many notes may be left over before the oldest go. Far more than one write with its nested ones can need. */
const MAX_NOTES = 16

export function beforeInsert(names: LogNames, layout: TableLayout, plan: NotePlan): string {
  const conflicts = plan.rowidConflict === undefined ? plan.conflicts : [...plan.conflicts, plan.rowidConflict]
  return `CREATE TRIGGER ${triggerName(names, layout.id, 'note_insert')} BEFORE INSERT ON ${quote(layout.table)} BEGIN ${noteSql(names, layout, { plan, conflicts })} END`
}

/** One for the columns of unique keys, and one for the row number, which can't be named in UPDATE OF. */
export function beforeUpdates(names: LogNames, layout: TableLayout, plan: NotePlan): readonly string[] {
  const of = plan.columns === undefined ? '' : `OF ${quoteAll(plan.columns)} `
  const others = `${plan.identity('s')} IS NOT ${plan.identity('OLD')}`
  const create = (role: 'note_update' | 'note_move', event: string, conflicts: readonly string[]): string =>
    `CREATE TRIGGER ${triggerName(names, layout.id, role)} BEFORE ${event} BEGIN ${noteSql(names, layout, { plan, conflicts, others })} END`
  const triggers: string[] = []
  if (plan.conflicts.length > 0) triggers.push(create('note_update', `UPDATE ${of}ON ${quote(layout.table)}`, plan.conflicts))
  if (plan.rowidConflict !== undefined) {
    const moves = `UPDATE ON ${quote(layout.table)} WHEN ${plan.identity('NEW')} IS NOT ${plan.identity('OLD')}`
    triggers.push(create('note_move', moves, [plan.rowidConflict]))
  }
  return triggers
}

interface NoteRequest {
  readonly plan: NotePlan
  readonly conflicts: readonly string[]
  readonly others?: string | undefined
}

function noteSql(names: LogNames, layout: TableLayout, { plan, conflicts, others = '1' }: NoteRequest): string {
  const table = quote(layout.table)
  const id = plan.identity('s')
  // Apart, so that each finds its own index.
  const rows = united(conflicts.map((conflict) => `SELECT ${id} FROM ${table} AS s WHERE ${conflict}`))
  const into = `INSERT INTO ${names.notes} (t, r, ${slots(imageWidth(layout)).join(', ')})`
  return [
    `DELETE FROM ${names.notes} WHERE n <= (SELECT max(n) FROM ${names.notes}) - ${MAX_NOTES};`,
    `${into} SELECT ${layout.id}, ${id}, ${image(layout, 's').join(', ')} FROM ${table} AS s WHERE ${id} IN (${rows}) AND ${others}`,
    `AND NOT EXISTS (SELECT 1 FROM ${names.notes} AS n WHERE n.t = ${layout.id} AND n.r IS ${id});`,
  ].join(' ')
}

/** Cloudflare's limit for the terms of one compound SELECT; SQLite's own is 500. */
const MAX_TERMS = 5

function united(selects: readonly string[]): string {
  if (selects.length <= MAX_TERMS) return selects.join(' UNION ')
  const size = Math.ceil(selects.length / MAX_TERMS)
  const groups = Array.from({ length: Math.ceil(selects.length / size) }, (_, index) => selects.slice(index * size, (index + 1) * size))
  return groups.map((group) => `SELECT * FROM (${united(group)})`).join(' UNION ')
}

/** After a write, a note whose row is gone or has the new row in its place. */
function isGone(plan: NotePlan, note: string): string {
  return `(${note}.r IS ${plan.identity('NEW')} OR NOT ${plan.exists(note)})`
}

export function afterInsert(names: LogNames, layout: TableLayout, plan: NotePlan): string {
  const gone = `FROM ${names.notes} AS n WHERE n.t = ${layout.id} AND ${isGone(plan, 'n')}`
  const replaced = `${gone} AND ${plan.isSameKey('n')}`
  return [
    entrySql(names, layout, { kind: ENTRY.delete, values: image(layout, 'n'), from: `${gone} AND (${plan.isSameKey('n')}) IS NOT 1` }),
    updateSql(names, layout, { row: 'n', from: replaced }),
    entrySql(names, layout, { kind: ENTRY.insert, values: image(layout, 'NEW'), from: `WHERE NOT EXISTS (SELECT 1 ${replaced})` }),
    `DELETE FROM ${names.notes} WHERE t = ${layout.id} AND ${isGone(plan, names.notes)};`,
    noteWritten(names, layout, plan),
  ].join(' ')
}

/** Our BEFORE triggers fire before a user's: what theirs write is there only after ours have looked for what may be replaced. */
function noteWritten(names: LogNames, layout: TableLayout, plan: NotePlan): string {
  if (!plan.notesWritten) return ''
  const values = [layout.id, plan.identity('NEW'), ...image(layout, 'NEW')].join(', ')
  return `INSERT INTO ${names.notes} (t, r, ${slots(imageWidth(layout)).join(', ')}) VALUES (${values});`
}

export function afterUpdate(names: LogNames, layout: TableLayout, plan: NotePlan): string {
  const old = plan.identity('OLD')
  return [
    entrySql(names, layout, {
      kind: ENTRY.delete, values: image(layout, 'n'),
      from: `FROM ${names.notes} AS n WHERE n.t = ${layout.id} AND n.r IS NOT ${old} AND ${isGone(plan, 'n')}`,
    }),
    updateSql(names, layout, { row: 'OLD' }),
    `DELETE FROM ${names.notes} WHERE t = ${layout.id} AND (r IS ${old} OR ${isGone(plan, names.notes)});`,
    noteWritten(names, layout, plan),
  ].join(' ')
}

export function afterDelete(names: LogNames, layout: TableLayout, plan: NotePlan): string {
  return [
    entrySql(names, layout, { kind: ENTRY.delete, values: image(layout, 'OLD') }),
    `DELETE FROM ${names.notes} WHERE t = ${layout.id} AND r IS ${plan.identity('OLD')};`,
  ].join(' ')
}
