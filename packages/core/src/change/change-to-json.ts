import { toBase64 } from '../util/base64.ts'
import type { ChangeEvent, ChangeRow } from './change-event.ts'
import type { Value } from './value.ts'

/**
 * One change as one line of JSON, without loss. Fields are named as in the event; what is `undefined` is left out. Values:
 *
 * - null, booleans, text and numbers are what JSON has for them; negative zero is `-0.0`;
 * - an integer beyond 53 bits is its digits, a JSON number like any other: read it with a parser that keeps them. A float of that size
 *   has an exponent;
 * - bytes are `{"$bytes":"…"}` in base64;
 * - a small integer that is a `bigint`, because the column also holds floats and tells them apart, is `{"$integer":"1"}`;
 * - a float that JSON has no number for is `{"$float":"Infinity"}`.
 *
 * No value is an object of its own, so that these can't be mistaken.
 */
export function changeToJson(event: ChangeEvent): string {
  const { id, op, schema, table, key, before, beforeKind, after, unavailable, tx, source } = event
  const changed = event.op === 'update' ? event.changed : undefined
  const parts = [
    `"id":${JSON.stringify(id)},"op":"${op}","schema":${JSON.stringify(schema)},"table":${JSON.stringify(table)}`,
    `"key":${rowToJson(key)},"before":${rowToJson(before)},"beforeKind":"${beforeKind}","after":${rowToJson(after)}`,
    `"unavailable":${JSON.stringify(unavailable)}`,
    ...(changed === undefined ? [] : [`"changed":${JSON.stringify(changed)}`]),
    `"tx":${JSON.stringify(tx)},"source":${JSON.stringify(source)}`,
  ]
  return `{${parts.join(',')}}`
}

/** A row as it stands in `changeToJson`. */
export function rowToJson(row: Partial<ChangeRow> | null): string {
  if (row === null) return 'null'
  return `{${Object.entries(row).flatMap(([name, value]) => (value === undefined ? [] : [`${JSON.stringify(name)}:${valueText(value)}`])).join(',')}}`
}

function valueText(value: Value): string {
  if (typeof value === 'bigint') return isSmall(value) ? `{"$integer":"${value}"}` : value.toString()
  if (typeof value === 'number') return numberText(value)
  if (value instanceof Uint8Array) return `{"$bytes":"${toBase64(value)}"}`
  return JSON.stringify(value)
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) return `{"$float":"${value}"}`
  if (Object.is(value, -0)) return '-0.0'
  // Bare digits of that size are an integer's.
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? value.toExponential() : value.toString()
}

function isSmall(value: bigint): boolean {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
}
