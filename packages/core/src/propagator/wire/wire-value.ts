import type { Value } from '../../change/value.ts'
import { fromBase64 } from '../../util/from-base64.ts'
import { toBase64 } from '../../util/base64.ts'

/** JSON has no bytes, no integer beyond 53 bits, no infinity and no negative zero. */
export type WireValue = null | boolean | number | string | { readonly i: string } | { readonly b: string } | { readonly f: string }

export function toWireValue(value: Value): WireValue {
  if (typeof value === 'string' || value === null) return value
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0) ? value : { f: Object.is(value, -0) ? '-0' : String(value) }
  if (typeof value === 'bigint') return { i: value.toString() }
  return value instanceof Uint8Array ? { b: toBase64(value) } : value
}

/** `undefined` for anything that {@link toWireValue} does not write. */
export function fromWireValue(value: unknown): Value | undefined {
  if (typeof value !== 'object' || value === null) return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null ? value : undefined
  if ('i' in value) return typeof value.i === 'string' && INTEGER.test(value.i) ? within64Bits(BigInt(value.i)) : undefined
  if ('b' in value) return typeof value.b === 'string' ? fromBase64(value.b) : undefined
  return 'f' in value && typeof value.f === 'string' ? FLOATS.get(value.f) : undefined
}

const INTEGER = /^-?\d{1,19}$/

function within64Bits(value: bigint): bigint | undefined {
  return BigInt.asIntN(64, value) === value ? value : undefined
}

const FLOATS: ReadonlyMap<string, number> = new Map([['-0', -0], ['Infinity', Infinity], ['-Infinity', -Infinity]])
