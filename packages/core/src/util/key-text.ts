import type { RowValues, Value } from '../change/value.ts'
import { encodeValue } from './value-json.ts'

/** A key as a map key. Equal keys give equal text, whichever of their equal forms they come in. */
export function keyText(key: RowValues): string {
  return JSON.stringify(key.map((value) => encodeValue(normal(value))))
}

function normal(value: Value): Value {
  if (typeof value === 'boolean') return Number(value)
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value
}
