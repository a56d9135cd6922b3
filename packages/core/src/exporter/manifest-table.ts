import type { ExportPlan } from '../dialect/export-source.ts'
import type { ColumnSchema } from '../dialect/table.ts'
import type { ManifestTable } from '../dump/manifest.ts'

/** A table of the plan as a manifest and a format have it. */
export function manifestTable(plan: Pick<ExportPlan, 'tables'>, index: number): ManifestTable {
  const table = plan.tables[index]
  if (table === undefined) throw new RangeError('The plan has no table of this number.')
  return { name: table.name, columns: table.columns.map(manifestColumn), key: table.key, rows: 0 }
}

function manifestColumn({ name, ordinal, sourceType, logicalType, storage, scale, nullable }: ColumnSchema): ManifestTable['columns'][number] {
  return { name, ordinal, sourceType, logicalType, storage, scale, nullable }
}
