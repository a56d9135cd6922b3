import type { Value } from '../change/value.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import type { ColumnSchema } from './table.ts'

const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)
const INTEGER = /^-?\d+$/u

export type ValueReader = (value: unknown) => Value

/**
 * Makes the conversion of one column, chosen once. Drivers differ in what they give for the same type: a 64-bit integer
 * comes as number, bigint or text. What can't be told exactly is left to the column's policy.
 */
export function valueReader(column: ColumnSchema): ValueReader {
  const read = column.storage === 'integer' ? readInteger : column.storage === 'real' ? readReal : readOther(column)
  return (value) => {
    if (value === null) return null
    const converted = read(value)
    return converted === undefined ? unrepresentable(column, value) : converted
  }
}

/** The text that a cursor carries: reading it with {@link cursorValue} gives the value back. */
export function cursorText(value: Value): string {
  if (value instanceof Uint8Array) return Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return typeof value === 'boolean' ? String(Number(value)) : String(value)
}

/** A cursor's text as a parameter for the column. */
export function cursorValue(text: string, column: ColumnSchema): Value {
  if (column.storage === 'integer' && INTEGER.test(text)) return narrow(BigInt(text))
  if (column.storage === 'real' && text !== '' && Number.isFinite(Number(text))) return Number(text)
  if (column.storage !== 'blob') return text
  return Uint8Array.from(text.match(/../gu) ?? [], (pair) => Number.parseInt(pair, 16))
}

function readInteger(value: unknown): Value | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined
  if (typeof value === 'boolean') return value
  if (typeof value === 'bigint') return value >= INT64_MIN && value <= INT64_MAX ? narrow(value) : undefined
  return typeof value === 'string' && INTEGER.test(value) ? readInteger(BigInt(value)) : undefined
}

function readReal(value: unknown): Value | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'bigint' && BigInt(Number(value)) === value) return Number(value)
  return typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : undefined
}

function readOther(column: ColumnSchema): (value: unknown) => Value | undefined {
  return (value) => {
    if (value instanceof Uint8Array) return column.storage === 'blob' ? value.slice() : undefined
    if (typeof value === 'string') return value
    // Drivers without static types may give a number where text is stored: its digits are exact as far as it is safe.
    if (typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))) return column.storage === 'text' ? String(value) : undefined
    return value instanceof Date ? dateText(value, column) : undefined
  }
}

/** Milliseconds padded to six digits, so that the text sorts beside that of finer sources. */
function dateText(value: Date, column: ColumnSchema): string | undefined {
  const year = value.getUTCFullYear()
  if (Number.isNaN(year) || year < 0 || year > 9999) return undefined
  const text = value.toISOString()
  if (column.logicalType === 'date') return text.slice(0, 10)
  return `${text.slice(0, 23)}000${column.logicalType === 'timestamp' ? '' : 'Z'}`
}

function narrow(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}

function unrepresentable(column: ColumnSchema, value: unknown): Value {
  if (column.onUnrepresentable === 'null') return null
  if (column.onUnrepresentable === 'text' && typeof value !== 'object') return String(value)
  const kind = value === undefined ? 'nothing' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
  throw new TidemarkError('VALUE_UNREPRESENTABLE', `Column ${JSON.stringify(column.name)}: the driver gave ${kind} that can't be stored as ${column.logicalType}.`)
}
