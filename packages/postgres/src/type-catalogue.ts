import { TidemarkError } from '@tidemark/core/adapter'
import type { ColumnOverride, ColumnSchema, LogicalType, StorageClass } from '@tidemark/core/adapter'

/** A column's type as the catalogue gives it, domains resolved to what they stand on. */
export interface SourceType {
  /** `format_type`: `numeric(10,2)`, `bigint[]`, `public.mood`. */
  readonly name: string
  /** `pg_type.typtype`: b base, c composite, e enum, r range, m multirange. */
  readonly kind: string
  /** Whether the type is an array of something. */
  readonly isArray: boolean
}

/**
 * Built-in types by the part of `format_type` in front of any modifier. What is not here (ranges, composites, geometry,
 * extension types and those to come) is `raw`: the server's own text.
 */
const BUILT_IN: Readonly<Record<string, LogicalType>> = {
  smallint: 'integer',
  integer: 'integer',
  bigint: 'integer',
  oid: 'integer',
  numeric: 'decimal',
  money: 'decimal',
  real: 'real',
  'double precision': 'real',
  boolean: 'boolean',
  text: 'text',
  'character varying': 'text',
  character: 'text',
  '"char"': 'text',
  name: 'text',
  xml: 'text',
  citext: 'text',
  uuid: 'uuid',
  bytea: 'blob',
  json: 'json',
  jsonb: 'json',
  'timestamp with time zone': 'timestamp-utc',
  'timestamp without time zone': 'timestamp',
  date: 'date',
  'time without time zone': 'time',
  interval: 'interval',
  bit: 'bits',
  'bit varying': 'bits',
}

/** What a column of this logical type may be stored as instead. `text` and `raw` are open to every type. */
const ALTERNATIVES: Readonly<Partial<Record<LogicalType, readonly LogicalType[]>>> = {
  decimal: ['scaled', 'real'],
  'timestamp-utc': ['epoch-us'],
  uuid: ['uuid-blob'],
}

const STORAGE: Readonly<Record<LogicalType, StorageClass>> = {
  boolean: 'integer',
  integer: 'integer',
  decimal: 'text',
  scaled: 'integer',
  real: 'real',
  text: 'text',
  enum: 'text',
  raw: 'text',
  uuid: 'text',
  'uuid-blob': 'blob',
  blob: 'blob',
  json: 'text',
  array: 'text',
  date: 'text',
  timestamp: 'text',
  'timestamp-utc': 'text',
  'epoch-us': 'integer',
  time: 'text',
  interval: 'text',
  bits: 'text',
}

/** Most digits that `scaled` can hold: 10^18 fits 64 bits. */
const MAX_SCALED_PRECISION = 18

/** The name without modifiers and schema: `character(3)` gives `character`, `public.citext` gives `citext`. */
export function baseTypeName(name: string): string {
  const bare = name.replace(/\([^)]*\)/, '').replace(/^interval .*/, 'interval')
  // Only citext is known by name among the types of extensions, wherever its schema is.
  return /(?:^|\.)citext$/.test(bare) ? 'citext' : bare
}

export function defaultLogicalType(type: SourceType): LogicalType {
  if (type.isArray) return 'array'
  if (type.kind === 'e') return 'enum'
  return BUILT_IN[baseTypeName(type.name)] ?? 'raw'
}

/** What `describeTable` decides for a column. Errors: `CONFIG_INVALID` for an override that its type does not allow. */
export function planColumn(
  column: Pick<ColumnSchema, 'name' | 'ordinal' | 'nullable'>,
  type: SourceType,
  override: ColumnOverride = {},
): ColumnSchema {
  const standard = defaultLogicalType(type)
  const logicalType = override.type ?? standard
  if (!isAllowed(standard, logicalType)) throw invalid(column.name, `can't be stored as ${logicalType}`)
  return {
    ...column,
    sourceType: type.name,
    logicalType,
    storage: STORAGE[logicalType],
    scale: logicalType === 'scaled' ? scaleOf(column.name, type.name) : 0,
    onUnrepresentable: override.onUnrepresentable ?? 'error',
  }
}

function isAllowed(standard: LogicalType, wanted: LogicalType): boolean {
  return wanted === standard || wanted === 'text' || wanted === 'raw' || ALTERNATIVES[standard]?.includes(wanted) === true
}

function scaleOf(column: string, typeName: string): number {
  const [, precision = '', scale = '0'] = /^numeric\((\d+)(?:,(-?\d+))?\)$/.exec(typeName) ?? []
  if (precision === '' || Number(precision) > MAX_SCALED_PRECISION || Number(scale) < 0 || Number(scale) > MAX_SCALED_PRECISION) {
    throw invalid(column, 'can only be scaled when its type is numeric(p,s) with p up to 18 and s from 0')
  }
  return Number(scale)
}

function invalid(column: string, fault: string): TidemarkError {
  const issue = { path: `columns.${column}.type`, message: fault }
  return new TidemarkError('CONFIG_INVALID', `The column '${column}' ${fault}.`, { issues: [issue] })
}
