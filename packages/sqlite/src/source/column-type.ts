import { TidemarkError, type ColumnOverride, type ColumnSchema, type LogicalType, type StorageClass } from '@tidemark/core/adapter'

/** What a declared type makes SQLite do with a value that is stored. Source: sqlite.org, "Datatypes In SQLite", 3.1. */
export type Affinity = 'integer' | 'text' | 'blob' | 'real' | 'numeric'

/** The rules in their order: `CHARINT` is an integer, `FLOATING POINT` too. */
export function affinityOf(declaredType: string): Affinity {
  const type = declaredType.toUpperCase()
  if (type.includes('INT')) return 'integer'
  if (/CHAR|CLOB|TEXT/.test(type)) return 'text'
  if (type === '' || type.includes('BLOB') || type === 'ANY') return 'blob'
  return /REAL|FLOA|DOUB/.test(type) ? 'real' : 'numeric'
}

/**
 * A column of the same affinity as the source's leaves every value in the class that it has there, whatever that is. For a value
 * that is stored NUMERIC and INTEGER do the same, so `BOOLEAN`, `DECIMAL` and `DATETIME` become `integer`, and
 * the texts in such a column stay texts.
 */
const LOGICAL_TYPE: Readonly<Record<Affinity, LogicalType>> = { integer: 'integer', numeric: 'integer', real: 'real', text: 'text', blob: 'blob' }

/** Other meanings that a column may be given, since they are stored the same. */
const MEANINGS: Readonly<Record<StorageClass, readonly LogicalType[]>> = {
  integer: ['integer', 'boolean', 'epoch-us'],
  real: ['real'],
  text: ['text', 'enum', 'raw', 'decimal', 'uuid', 'json', 'array', 'date', 'timestamp', 'timestamp-utc', 'time', 'interval', 'bits'],
  blob: ['blob', 'uuid-blob'],
}

export interface DeclaredColumn {
  readonly name: string
  readonly ordinal: number
  readonly sourceType: string
  readonly nullable: boolean
  /** Whether it alone is the primary key but not the rowid, so that it may hold more than integers. */
  readonly isOnlyKey: boolean
}

/** Errors: `CONFIG_INVALID` for an override that would change stored values. */
export function planColumn(column: DeclaredColumn, override: ColumnOverride = {}): ColumnSchema {
  const { name, ordinal, sourceType, nullable } = column
  const standard = standardType(column)
  const logicalType = override.type ?? standard
  const storage = storageOf(standard)
  // No affinity keeps every value as well; that is always allowed.
  const isAllowed = logicalType === 'blob' || MEANINGS[storage].includes(logicalType)
  if (!isAllowed) {
    const message = `can't be stored as ${logicalType}`
    throw new TidemarkError('CONFIG_INVALID', `The column '${name}' ${message}.`, { issues: [{ path: `columns.${name}.type`, message }] })
  }
  return {
    name, ordinal, sourceType, nullable, logicalType, storage: logicalType === 'blob' ? 'blob' : storage, scale: 0,
    onUnrepresentable: override.onUnrepresentable ?? 'error',
  }
}

/** A sole integer key becomes the copy's rowid, which takes nothing but integers: a `UUID` or `DATETIME` key is no such key. */
function standardType(column: DeclaredColumn): LogicalType {
  const affinity = affinityOf(column.sourceType)
  return affinity === 'numeric' && column.isOnlyKey ? 'blob' : LOGICAL_TYPE[affinity]
}

function storageOf(standard: LogicalType): StorageClass {
  return standard === 'integer' || standard === 'real' || standard === 'text' ? standard : 'blob'
}
