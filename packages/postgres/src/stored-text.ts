import { TidemarkError } from '@tidemark/core/adapter'
import type { ColumnSchema, Value } from '@tidemark/core/adapter'
import { timestampOfEpoch } from './timestamp-text.ts'

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/**
 * The inverse of a column's codec: a value as it is stored in the copy, to text that the server casts back to the
 * column's type. Errors: `NOT_SUPPORTED` for arrays, `CONFIG_INVALID` for a value of another kind than the column's.
 */
export function storedText(column: ColumnSchema, value: Value): string {
  if (value instanceof Uint8Array) return bytesText(column, value)
  if (value === null) throw mismatch(column)
  switch (column.logicalType) {
    case 'boolean': return value === true || value === 1 || value === 1n ? 'true' : 'false'
    case 'scaled': return typeof value === 'string' ? value : scaledText(column, BigInt(value))
    case 'epoch-us': return typeof value === 'string' ? value : timestampOfEpoch(BigInt(value))
    // As text -0 would lose its sign.
    case 'real': return Object.is(value, -0) ? '-0' : String(value)
    case 'array': throw new TidemarkError('NOT_SUPPORTED', `Rows can't be found by the array column '${column.name}'.`)
    default: return String(value)
  }
}

function bytesText(column: ColumnSchema, bytes: Uint8Array): string {
  let hex = ''
  for (const byte of bytes) hex += HEX[byte] ?? ''
  if (column.logicalType === 'uuid-blob') return hex
  if (column.logicalType === 'blob') return `\\x${hex}`
  throw mismatch(column)
}

function scaledText(column: ColumnSchema, value: bigint): string {
  const digits = String(value < 0n ? -value : value).padStart(column.scale + 1, '0')
  const point = digits.length - column.scale
  return `${value < 0n ? '-' : ''}${digits.slice(0, point)}${column.scale === 0 ? '' : `.${digits.slice(point)}`}`
}

function mismatch(column: ColumnSchema): TidemarkError {
  return new TidemarkError('CONFIG_INVALID', `A key value does not fit the column '${column.name}'.`)
}
