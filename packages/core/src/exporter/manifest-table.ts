import type { ExportPlan } from '../dialect/export-source.ts'
import type { ManifestTable } from '../dump/manifest.ts'

/** A table of the plan as a manifest and a format have it. */
export function manifestTable(plan: Pick<ExportPlan, 'tables'>, index: number): ManifestTable {
  const table = plan.tables[index]
  if (table === undefined) throw new RangeError('The plan has no table of this number.')
  return { name: table.name, columns: table.columns.map(({ onUnrepresentable: _, ...column }) => column), key: table.key, rows: 0 }
}
