import { quote } from '../quote.ts'
import { entrySql, image, updateSql } from './entry-sql.ts'
import { ENTRY } from './log-entry.ts'
import { triggerName, type LogNames } from './log-names.ts'
import type { NotePlan } from './note-plan.ts'
import { afterDelete, afterInsert, afterUpdate, beforeInsert, beforeUpdates } from './note-sql.ts'
import type { TableLayout } from './table-layout.ts'

/**
 * The triggers of one table, as CREATE statements. They only ever insert into the log and its notes, which have no
 * constraint, so that whatever the user writes, they can't make it fail.
 */
export function triggerSql(names: LogNames, layout: TableLayout, plan: NotePlan | undefined): readonly string[] {
  const table = quote(layout.table)
  const trigger = (role: 'insert' | 'update' | 'delete', body: string): string =>
    `CREATE TRIGGER ${triggerName(names, layout.id, role)} AFTER ${role.toUpperCase()} ON ${table} BEGIN ${body} END`
  if (plan !== undefined) {
    return [
      beforeInsert(names, layout, plan),
      ...beforeUpdates(names, layout, plan),
      trigger('insert', afterInsert(names, layout, plan)),
      trigger('update', afterUpdate(names, layout, plan)),
      trigger('delete', afterDelete(names, layout, plan)),
    ]
  }
  return [
    trigger('insert', entrySql(names, layout, { kind: ENTRY.insert, values: image(layout, 'NEW') })),
    trigger('update', updateSql(names, layout, { row: 'OLD' })),
    trigger('delete', entrySql(names, layout, { kind: ENTRY.delete, values: image(layout, 'OLD') })),
  ]
}
