import { TidemarkError, type ColumnOverride, type ColumnSchema, type LogicalType, type TableSchema } from '@tidemark/core/adapter'
import { STORAGE_OF_KIND, type ColumnKind, type ColumnSpec } from '../harness/table-spec.ts'
import type { MemoryTable } from './memory-database.ts'

const LOGICAL_TYPE: Readonly<Record<ColumnKind, LogicalType>> = {
  int: 'integer',
  bigint: 'integer',
  real: 'real',
  decimal: 'decimal',
  text: 'text',
  bool: 'boolean',
  blob: 'blob',
  timestamp: 'timestamp',
  date: 'date',
}

/** The schema of a stored table, as `describeTable` gives it. */
export function describeMemoryTable(table: MemoryTable, overrides: Readonly<Record<string, ColumnOverride>> = {}): TableSchema {
  const { spec } = table
  return {
    ref: { name: spec.name },
    kind: 'table',
    columns: spec.columns.map((column, index) => describeColumn(column, index + 1, { key: spec.key, override: overrides[column.name] })),
    key: spec.key,
    indexes: spec.indexes ?? [],
    estimatedRows: table.rows.size,
    version: String(table.version),
  }
}

function describeColumn(
  column: ColumnSpec,
  ordinal: number,
  { key, override }: { readonly key: readonly string[]; readonly override: ColumnOverride | undefined },
): ColumnSchema {
  const logicalType = override?.type ?? LOGICAL_TYPE[column.kind]
  if (logicalType !== LOGICAL_TYPE[column.kind] && logicalType !== 'raw') {
    throw new TidemarkError('CONFIG_INVALID', `Column type ${column.kind} can't be read as ${logicalType}.`)
  }
  return {
    name: column.name,
    ordinal,
    sourceType: column.kind,
    logicalType,
    storage: logicalType === 'raw' ? 'text' : STORAGE_OF_KIND[column.kind],
    scale: 0,
    nullable: column.nullable === true && !key.includes(column.name),
    onUnrepresentable: override?.onUnrepresentable ?? 'error',
  }
}
