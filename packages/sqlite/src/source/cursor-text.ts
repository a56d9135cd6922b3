import { TidemarkError, type Value } from '@tidemark/core/adapter'
import type { SqliteValue } from '../driver.ts'
import { bytesOfHex } from './bytes-of-hex.ts'

/**
 * A value as the text of a cursor, with its storage class in front, because a column may hold any: `i:5`, `r:0.5`,
 * `t:abc`, `x:6162`. A double's shortest digits give the same double back (ECMA-262, Number::toString).
 */
export function cursorText(value: Exclude<Value, null>): string {
  if (typeof value === 'string') return `t:${value}`
  if (value instanceof Uint8Array) return `x:${Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return `r:${value}`
  // Whether 5 was stored as 5.0 does not matter here: the two compare as equal.
  return `i:${Number(value) === 0 ? 0 : value}`
}

/** The reverse of {@link cursorText}. Errors: `STATE_CORRUPT`. */
export function cursorValue(text: string): SqliteValue {
  const body = text.slice(2)
  if (/^i:-?\d{1,19}$/.test(text)) return BigInt(body)
  if (/^r:(?:-?Infinity|-?[\d.]+(?:e[+-]?\d+)?)$/.test(text)) return Number(body)
  if (text.startsWith('t:')) return body
  if (/^x:(?:[0-9a-f]{2})*$/.test(text)) return bytesOfHex(body)
  throw new TidemarkError('STATE_CORRUPT', 'A stored cursor holds no value of SQLite.')
}
