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

/** Columns as they will be stored. Errors: `CONFIG_INVALID` for an override the type does not allow or of no column. */
export function toColumnSchemas(
  columns: readonly CatalogueColumn[], overrides: Readonly<Record<string, ColumnOverride>> = {},
): readonly ColumnSchema[] {
  const unknown = Object.keys(overrides).filter((name) => !columns.some((column) => column.name === name))
  if (unknown[0] !== undefined) throw invalidOverride(unknown[0], 'The table has no such column.')
  return columns.map((column, index) => {
    const override = Object.hasOwn(overrides, column.name) ? overrides[column.name] : undefined
    // A place, not a lasting number: the capability keepsOrdinals says so, and columns are then matched by name.
    return toColumnSchema(column, override, index + 1)
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

function invalidOverride(column: string, message: string): TidemarkError {
  return new TidemarkError('CONFIG_INVALID', 'A column override does not fit the table.', { issues: [{ path: `columns.${column}`, message }] })
}
