import type { Value } from '../change/value.ts'

type Encoded = null | boolean | number | string | { readonly i: string } | { readonly b: string } | { readonly f: string }

/** Values inside stored state. JSON alone would round large integers and lose bytes and infinities. */
export function encodeValue(value: Value): Encoded {
  if (typeof value === 'bigint') return { i: value.toString() }
  if (value instanceof Uint8Array) return { b: Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('') }
  return typeof value === 'number' && !Number.isFinite(value) ? { f: String(value) } : value
}

/** The reverse of {@link encodeValue}; throws a `TypeError` on anything it did not write. */
export function decodeValue(encoded: unknown): Value {
  if (encoded === null || typeof encoded === 'boolean' || typeof encoded === 'number' || typeof encoded === 'string') return encoded
  if (typeof encoded === 'object' && 'i' in encoded && typeof encoded.i === 'string') return BigInt(encoded.i)
  if (typeof encoded === 'object' && 'b' in encoded && typeof encoded.b === 'string') return bytesOf(encoded.b)
  if (typeof encoded === 'object' && 'f' in encoded && typeof encoded.f === 'string') return Number(encoded.f)
  throw new TypeError('Not an encoded value.')
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}
