import { hex, TidemarkError, type Value } from '@tidemark/core/adapter'

const MIN_INTEGER = -(2n ** 63n)
const MAX_INTEGER = 2n ** 63n - 1n

/**
 * A value as JSON text that SQLite reads exactly: its JSON has all integers of 64 bits, but decimal digits of a double may be read with an error in
 * the last bit, and there are no bytes. Errors: `VALUE_UNREPRESENTABLE`.
 */
export function cellJson(value: Value): string {
  if (value === null) return 'null'
  if (typeof value === 'boolean') return value ? '1' : '0'
  if (typeof value === 'number') return realJson(value)
  if (typeof value === 'bigint') return integerJson(value)
  if (value instanceof Uint8Array) return `{"b":"${hex(value)}"}`
  // Older releases of SQLite end a text at a NUL that JSON has escaped.
  return value.includes('\0') ? `{"t":"${hex(new TextEncoder().encode(value))}"}` : JSON.stringify(value)
}

/** What {@link cellJson} wrote, at a path of an SQL expression. */
export function cellSql(json: string, path: string): string {
  const at = (rest: string): string => `json_extract(${json}, '${path}${rest}')`
  return `CASE json_type(${json}, '${path}') WHEN 'array' THEN CAST(${at('[0]')} AS REAL) * pow(2.0, ${at('[1]')}) WHEN 'object' THEN coalesce(unhex(${at('.b')}), CAST(unhex(${at('.t')}) AS TEXT)) ELSE ${at('')} END`
}

/** As an integer and the power of two that it is multiplied by, unless it is an integer itself. */
function realJson(value: number): string {
  if (Number.isNaN(value)) throw unrepresentable('a number that is none')
  if (!Number.isFinite(value)) return `[${Math.sign(value)},2000]`
  if (Number.isSafeInteger(value)) return `${value}.0`
  let [mantissa, exponent] = [value, 0]
  while (!Number.isInteger(mantissa)) [mantissa, exponent] = [mantissa * 2, exponent - 1]
  while (!Number.isSafeInteger(mantissa)) [mantissa, exponent] = [mantissa / 2, exponent + 1]
  return `[${mantissa},${exponent}]`
}

function integerJson(value: bigint): string {
  if (value < MIN_INTEGER || value > MAX_INTEGER) throw unrepresentable('an integer beyond 64 bits')
  return value.toString()
}

function unrepresentable(what: string): TidemarkError {
  return new TidemarkError('VALUE_UNREPRESENTABLE', `SQLite can not store ${what}.`)
}
