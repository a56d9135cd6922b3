import type { Value } from '@tidemark/core/adapter'
import type { CatalogueColumn } from '../catalogue.ts'

/** Source types whose values need 64 bits; all their values are read as `bigint`, so that a column has one type. */
const WIDE_INTEGER = /^(bigint|int8|bigserial)/i
const US_PER_SECOND = 1_000_000n

/**
 * A stored value as what it was at the source. Exact: what JavaScript can't hold stays text.
 *
 * | logical type | gives |
 * | --- | --- |
 * | `boolean` | boolean |
 * | `integer` | number; bigint for 64-bit source types |
 * | `real` | number, NaN and the infinities included |
 * | `scaled` | decimal text with its scale: `12.50` |
 * | `epoch-us` | `YYYY-MM-DDTHH:MM:SS.ffffffZ` |
 * | `uuid-blob` | 36 characters |
 * | `blob` | Uint8Array |
 * | all others | text |
 */
export function sourceValue(column: CatalogueColumn, stored: Value): Value {
  if (stored === null) return null
  switch (column.logicalType) {
    case 'boolean':
      return stored === 1
    case 'integer':
      return integerOf(column, stored)
    case 'real':
      return typeof stored === 'string' ? specialFloat(stored) : stored
    case 'scaled':
      return scaledText(BigInt(stored as number | bigint), column.scale) // an INTEGER column, filled by us
    case 'epoch-us':
      return typeof stored === 'string' ? stored : isoMicroseconds(BigInt(stored as number | bigint)) // text only by policy
    case 'uuid-blob':
      return stored instanceof Uint8Array ? uuidText(stored) : stored
    default:
      return stored
  }
}

function integerOf(column: CatalogueColumn, stored: Value): Value {
  if (typeof stored !== 'number' && typeof stored !== 'bigint') return stored
  return WIDE_INTEGER.test(column.sourceType) ? BigInt(stored) : Number(stored)
}

function specialFloat(text: string): Value {
  return text === 'NaN' || text === 'Infinity' || text === '-Infinity' ? Number(text) : text
}

function scaledText(value: bigint, scale: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
  const sign = value < 0n ? '-' : ''
  return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

function isoMicroseconds(us: bigint): string {
  const micros = ((us % US_PER_SECOND) + US_PER_SECOND) % US_PER_SECOND
  const ms = Number((us - micros) / 1_000n)
  return `${new Date(ms).toISOString().slice(0, 19)}.${micros.toString().padStart(6, '0')}Z`
}

function uuidText(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
