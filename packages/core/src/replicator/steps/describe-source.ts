import type { AbortOptions, SourceConnection } from '../../dialect/source.ts'
import type { ColumnOverride, TableSchema } from '../../dialect/table.ts'
import { TidemarkError } from '../../errors/tidemark-error.ts'
import type { ResolvedReplication } from '../resolve-replication.ts'
import { effectiveKey } from '../sync-session.ts'

/**
 * Describes the source table and checks that the replication's columns exist in it.
 * Errors: `TABLE_UNKNOWN`, `COLUMN_UNKNOWN`, `KEY_REQUIRED`, `CONFIG_INVALID`, `SOURCE_*`.
 */
export async function describeSource(
  source: SourceConnection, replication: ResolvedReplication, options: AbortOptions = {},
): Promise<TableSchema> {
  const schema = await source.describeTable(replication.table, { ...options, overrides: overridesOf(replication) })
  const names = new Set(schema.columns.map((column) => column.name))
  const missing = mentionedColumns(replication).find((name) => !names.has(name))
  if (missing !== undefined) {
    throw new TidemarkError('COLUMN_UNKNOWN', `The table "${replication.sourceTable}" has no column "${missing}".`)
  }
  requireKey(replication, schema)
  refuseClash(replication, names)
  return schema
}

function mentionedColumns(replication: ResolvedReplication): readonly string[] {
  const tracking = replication.mode === 'full' ? [] : [replication.trackingColumn]
  return [...tracking, ...(replication.key ?? []), ...(replication.columns ?? []), ...Object.keys(replication.types)]
}

function requireKey(replication: ResolvedReplication, schema: TableSchema): void {
  if (replication.mode === 'full' || effectiveKey(replication, schema).length > 0) return
  throw new TidemarkError('KEY_REQUIRED', `The ${schema.kind} "${replication.sourceTable}" has no primary key.`)
}

/** SQLite compares column names without regard to case: two that differ only in case can't both be copied. */
function refuseClash(replication: ResolvedReplication, names: ReadonlySet<string>): void {
  const lower = new Set<string>()
  const wanted = replication.columns === undefined ? names : new Set([...replication.columns, ...(replication.key ?? [])])
  for (const name of [...wanted, ...(replication.softDeleteColumn === undefined ? [] : [replication.softDeleteColumn])]) {
    if (lower.has(name.toLowerCase())) {
      throw new TidemarkError('CONFIG_INVALID', `The column name "${name}" occurs twice in the copy, letter case aside.`, {
        issues: [{ path: 'columns', message: `"${name}" clashes with a column that differs only in letter case, or with softDelete.` }],
        remedy: 'Leave one of them out with `columns`, or choose another softDelete column.',
      })
    }
    lower.add(name.toLowerCase())
  }
}

function overridesOf(replication: ResolvedReplication): Record<string, ColumnOverride> {
  return Object.fromEntries(Object.entries(replication.types).flatMap(([name, override]) => (override === undefined ? [] : [[name, override]])))
}
