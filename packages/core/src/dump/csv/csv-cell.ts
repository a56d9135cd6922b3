import type { Value } from '../../change/value.ts'
import type { StorageClass } from '../../dialect/table.ts'
import { fromHex } from '../../util/from-hex.ts'
import { hex } from '../../util/hex.ts'

/**
 * A value as a field. What is in quotes is text, so that nothing else can be mistaken for one:
 *
 * | value | field |
 * | --- | --- |
 * | NULL | nothing |
 * | text | `"it ""is"" so"`, also when it is empty |
 * | integer | `42` |
 * | float | `42.0`, `1e+300`, `-0.0`, `Infinity`, `NaN` |
 * | boolean | `true`, `false` |
 * | bytes | `\x00ff` |
 */
export function csvCell(value: Value, storage: StorageClass): string {
  switch (typeof value) {
    case 'string': return quoted(value)
    case 'number': return csvNumber(value, storage)
    case 'bigint': return value.toString()
    case 'boolean': return value ? 'true' : 'false'
    default: return value === null ? '' : `\\x${hex(value)}`
  }
}

export function quoted(text: string): string {
  return `"${text.includes('"') ? text.replaceAll('"', '""') : text}"`
}

/** In a column of integers, one that was read as a number is one of them. */
function csvNumber(value: number, storage: StorageClass): string {
  if (Object.is(value, -0)) return '-0.0'
  const text = String(value)
  return Number.isInteger(value) && !(storage === 'integer' && Number.isSafeInteger(value)) && !text.includes('e') ? `${text}.0` : text
}

const INTEGER = /^-?\d+$/
const FLOAT = /^-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Infinity)$/i

/** The value of a field that has no quotes. `undefined` for what is none. */
export function csvValue(field: string): Value | undefined {
  if (field === '') return null
  if (INTEGER.test(field)) return BigInt(field)
  if (FLOAT.test(field) || field === 'NaN') return Number(field)
  if (field === 'true' || field === 'false') return field === 'true'
  return field.startsWith('\\x') ? fromHex(field.slice(2)) : undefined
}
