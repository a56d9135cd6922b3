import type { ColumnSchema, TableSchema } from '../dialect/table.ts'
import type { KnownSchema } from './replication-state.ts'
import { numberByName } from './number-by-name.ts'
import type { ResolvedReplication } from './resolve-replication.ts'
import { diffSchema, type CopiedSchema, type SchemaDrift } from './schema-drift.ts'
import { copiedColumns, effectiveKey } from './sync-session.ts'

/** What became of the part of a table that a replication goes by, and the table with its columns numbered like the known one's. */
export function copiedDrift(
  replication: ResolvedReplication, known: KnownSchema, described: TableSchema,
): { readonly current: TableSchema; readonly drift: SchemaDrift } {
  const current = replication.source.capabilities.keepsOrdinals ? described : numberByName(known.columns, described)
  return { current, drift: diffSchema(reliedOn(replication, known), reliedOn(replication, current)) }
}

/**
 * The copied columns and the tracking column, copied or not. The tracking column counts as a part of the key: a new column of
 * its name has other values, above or below which the cursor would miss rows.
 */
function reliedOn(replication: ResolvedReplication, schema: KnownSchema | TableSchema): CopiedSchema {
  const columns = copiedColumns(replication, schema)
  const key = effectiveKey(replication, schema)
  if (replication.mode === 'full') return { columns, key }
  const isTracking = (column: ColumnSchema): boolean => column.name === replication.trackingColumn
  const tracking = columns.some(isTracking) ? [] : schema.columns.filter(isTracking)
  return { columns: [...columns, ...tracking], key: [...key, replication.trackingColumn] }
}
