import type { Value } from '../../change/value.ts'
import type { StorageClass } from '../../dialect/table.ts'
import { fromBase64 } from '../../util/from-base64.ts'
import { toBase64 } from '../../util/base64.ts'

/**
 * A value as JSON. Numbers are written so that any reader takes them exactly:
 *
 * | value | JSON |
 * | --- | --- |
 * | NULL, boolean, text | as JSON has them |
 * | integer | `42`; `{"$integer":"9007199254740993"}` beyond 53 bits, and where the column is not one of integers |
 * | float | `42.5`; `{"$float":"Infinity"}` for what JSON has no number for, and for whole ones beyond 53 bits in a column of integers |
 * | bytes | `{"$bytes":"AP8="}` |
 */
export function jsonCell(value: Value, storage: StorageClass): string {
  switch (typeof value) {
    case 'string': return JSON.stringify(value)
    case 'number': return jsonNumber(value, storage)
    case 'bigint': return storage === 'integer' && isSmall(value) ? value.toString() : `{"$integer":"${value}"}`
    case 'boolean': return value ? 'true' : 'false'
    default: return value === null ? 'null' : `{"$bytes":"${toBase64(value)}"}`
  }
}

function jsonNumber(value: number, storage: StorageClass): string {
  if (Object.is(value, -0)) return '-0.0'
  const isPlain = Number.isFinite(value) && !(storage === 'integer' && Number.isInteger(value) && !Number.isSafeInteger(value))
  return isPlain ? String(value) : `{"$float":"${value}"}`
}

/** The value of what `JSON.parse` gave. `undefined` for what is none. */
export function jsonValue(parsed: unknown, storage: StorageClass): Value | undefined {
  switch (typeof parsed) {
    case 'string':
    case 'boolean': return parsed
    case 'number': return storage === 'integer' && Number.isSafeInteger(parsed) && !Object.is(parsed, -0) ? BigInt(parsed) : parsed
    case 'object': return parsed === null ? null : tagged(parsed)
    default: return undefined
  }
}

const INTEGER = /^-?\d+$/
const FLOAT = /^(?:NaN|-?Infinity|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/

function tagged(parsed: object): Value | undefined {
  const [entry, second] = Object.entries(parsed) as readonly (readonly [string, unknown])[] // as JSON.parse makes them
  if (entry === undefined || second !== undefined || typeof entry[1] !== 'string') return undefined
  const [tag, text] = entry
  if (tag === '$integer') return INTEGER.test(text) ? BigInt(text) : undefined
  if (tag === '$float') return FLOAT.test(text) ? Number(text) : undefined
  return tag === '$bytes' ? fromBase64(text) : undefined
}

const MIN_SAFE = BigInt(Number.MIN_SAFE_INTEGER)
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)

function isSmall(value: bigint): boolean {
  return value >= MIN_SAFE && value <= MAX_SAFE
}
