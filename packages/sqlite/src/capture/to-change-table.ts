import type { ChangeTable } from '@tidemark/core/adapter'
import type { TableLayout } from './table-layout.ts'

/** What users see of a layout. */
export function toChangeTable(layout: TableLayout): ChangeTable {
  const { table, columns, key, version } = layout
  return { schema: 'main', name: table, columns: columns.map(({ name, type, nullable, generated }) => ({ name, type, nullable, generated })), key, version }
}
