import type { ColumnMetadata, TableMetadata } from 'kysely'
import { TidemarkError } from '../errors/tidemark-error.ts'
import type { KyselyTableHints } from './kysely-source.ts'
import type { ColumnOverride, ColumnSchema, LogicalType, StorageClass, TableRef, TableSchema } from './table.ts'

const STORAGE: Readonly<Record<LogicalType, StorageClass>> = {
  boolean: 'integer', integer: 'integer', scaled: 'integer', 'epoch-us': 'integer', real: 'real', blob: 'blob', 'uuid-blob': 'blob',
  decimal: 'text', text: 'text', enum: 'text', raw: 'text', uuid: 'text', json: 'text', array: 'text', date: 'text', timestamp: 'text',
  'timestamp-utc': 'text', time: 'text', interval: 'text', bits: 'text',
}

/** By the type's name, first match wins. What is not here is text. */
const BY_NAME: readonly (readonly [RegExp, LogicalType])[] = [
  [/^(?:tiny|small|medium|big|u)?int(?:eger)?\d*\b|^(?:small|big)?serial\b|^year\b/iu, 'integer'],
  [/^bool/iu, 'boolean'],
  [/^(?:real|float|double)/iu, 'real'],
  [/^(?:dec|numeric|number)/iu, 'decimal'],
  [/blob|^bytea|binary|^image/iu, 'blob'],
  [/^timestamptz|^timestamp.*with time zone|^datetimeoffset/iu, 'timestamp-utc'],
  [/^timestamp|^datetime/iu, 'timestamp'],
  [/^date/iu, 'date'],
  [/^time/iu, 'time'],
  [/^uuid|^uniqueidentifier/iu, 'uuid'],
  [/^json/iu, 'json'],
]

/** Finds a table in what introspection gave. Errors: `TABLE_UNKNOWN`. */
export function findTable(tables: readonly TableMetadata[], ref: TableRef): TableMetadata {
  const found = tables.find((table) => table.name === ref.name && (ref.schema === undefined || table.schema === undefined || table.schema === ref.schema))
  if (found === undefined) throw new TidemarkError('TABLE_UNKNOWN', `There is no table or view ${JSON.stringify(ref.name)}.`)
  return found
}

/** Errors: `CONFIG_INVALID` on an override that the column's storage does not allow, `COLUMN_UNKNOWN` on a hint without column. */
export function describeKyselyTable(
  table: TableMetadata,
  { ref, hints, overrides }: { readonly ref: TableRef; readonly hints: KyselyTableHints; readonly overrides: Readonly<Record<string, ColumnOverride>> },
): TableSchema {
  const key = hints.key ?? []
  const names = new Set(table.columns.map((column) => column.name))
  const unknown = [...key, ...Object.keys(hints.columns ?? {})].find((name) => !names.has(name))
  if (unknown !== undefined) throw new TidemarkError('COLUMN_UNKNOWN', `Table ${JSON.stringify(ref.name)} has no column ${JSON.stringify(unknown)}.`)
  const columns = table.columns.map((column, index) => {
    const described = describeColumn(column, index + 1, hints.columns?.[column.name])
    return override({ ...described, nullable: described.nullable && !key.includes(column.name) }, overrides[column.name])
  })
  const version = JSON.stringify([key, table.columns.map(({ name, dataType, isNullable }) => [name, dataType, isNullable])])
  return { ref, kind: table.isView ? 'view' : 'table', columns, key, indexes: [], estimatedRows: undefined, version }
}

function describeColumn(column: ColumnMetadata, ordinal: number, hint: LogicalType | undefined): ColumnSchema {
  const logicalType = hint ?? BY_NAME.find(([pattern]) => pattern.test(column.dataType))?.[1] ?? 'text'
  return {
    name: column.name, ordinal, sourceType: column.dataType, logicalType, storage: STORAGE[logicalType], scale: 0, nullable: column.isNullable,
    onUnrepresentable: 'error',
  }
}

function override(column: ColumnSchema, wanted: ColumnOverride | undefined): ColumnSchema {
  const logicalType = wanted?.type ?? column.logicalType
  const storage = STORAGE[logicalType]
  // Without the engine's own conversions, only another reading of the same stored value is possible.
  if (storage !== column.storage && logicalType !== 'raw') {
    const message = `${column.sourceType} can't be read as ${logicalType}`
    throw new TidemarkError('CONFIG_INVALID', `Column ${JSON.stringify(column.name)}: ${message}.`, { issues: [{ path: `columns.${column.name}.type`, message }] })
  }
  return { ...column, logicalType, storage, onUnrepresentable: wanted?.onUnrepresentable ?? column.onUnrepresentable }
}
