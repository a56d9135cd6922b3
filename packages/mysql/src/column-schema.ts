import { TidemarkError, type ColumnOverride, type ColumnSchema, type LogicalType, type UnrepresentablePolicy } from '@tidemark/core/adapter'
import { parseSourceType } from './source-type.ts'
import { allowedTypes, decimalScale, storageOf } from './type-catalogue.ts'

/** A row of `information_schema.columns`. */
export interface CatalogueColumn {
  readonly name: string
  readonly sourceType: string
  readonly nullable: boolean
}

/** More digits than this overflow a 64-bit integer. */
const MAX_SCALED_DIGITS = 18

const MAX_ORDINAL = 0x7f_ff_ff_ff

/** Columns as they will be stored. Errors: `CONFIG_INVALID` for an override the type does not allow or of no column. */
export function toColumnSchemas(
  columns: readonly CatalogueColumn[], overrides: Readonly<Record<string, ColumnOverride>> = {},
): readonly ColumnSchema[] {
  const unknown = Object.keys(overrides).filter((name) => !columns.some((column) => column.name === name))
  if (unknown[0] !== undefined) throw invalidOverride(unknown[0], 'The table has no such column.')
  const taken = new Set<number>()
  return columns.map((column) => {
    const override = Object.hasOwn(overrides, column.name) ? overrides[column.name] : undefined
    return toColumnSchema(column, override, stableOrdinal(column.name, taken))
  })
}

function toColumnSchema(column: CatalogueColumn, override: ColumnOverride | undefined, ordinal: number): ColumnSchema {
  const type = parseSourceType(column.sourceType)
  const allowed = allowedTypes(type)
  const logicalType = override?.type ?? allowed[0] ?? 'raw'
  if (!allowed.includes(logicalType)) {
    throw invalidOverride(column.name, `A column of type ${type.base} can be stored as ${allowed.join(', ')}.`)
  }
  if (logicalType === 'scaled' && (type.sizes[0] ?? 10) > MAX_SCALED_DIGITS) {
    throw invalidOverride(column.name, `A decimal of more than ${MAX_SCALED_DIGITS} digits does not fit a 64-bit integer.`)
  }
  return {
    name: column.name,
    ordinal,
    sourceType: column.sourceType,
    logicalType,
    storage: storageOf(logicalType),
    scale: logicalType === 'scaled' ? decimalScale(type) : 0,
    nullable: column.nullable,
    onUnrepresentable: override?.onUnrepresentable ?? defaultPolicy(logicalType),
  }
}

/** Zero and partial dates are values of MySQL like any other: they are kept as its own text unless the user decides otherwise. */
function defaultPolicy(type: LogicalType): UnrepresentablePolicy {
  return type === 'date' || type === 'timestamp' || type === 'timestamp-utc' ? 'text' : 'error'
}

/**
 * MySQL has no lasting number of a column: `ordinal_position` moves when one before it is dropped, and a number that
 * moves would pass a drop off as renames. So the number is made of the name (FNV-1a, 31 bits), and a rename counts as
 * a drop and an add.
 */
function stableOrdinal(name: string, taken: Set<number>): number {
  let hash = 0x81_1c_9d_c5
  for (const byte of Buffer.from(name, 'utf8')) hash = Math.imul(hash ^ byte, 0x01_00_01_93)
  let ordinal = (hash & MAX_ORDINAL) || 1
  while (taken.has(ordinal)) ordinal = ordinal === MAX_ORDINAL ? 1 : ordinal + 1
  taken.add(ordinal)
  return ordinal
}

function invalidOverride(column: string, message: string): TidemarkError {
  return new TidemarkError('CONFIG_INVALID', 'A column override does not fit the table.', { issues: [{ path: `columns.${column}`, message }] })
}
