import { TidemarkError, type Value } from '@tidemark/core/adapter'
import type { SqliteValue } from '@tidemark/sqlite'

/** What these hosts bind: they refuse a bigint, and take every number as a double. */
export function toBinding(value: SqliteValue): null | number | string | Uint8Array {
  // A view of a larger buffer would be sent whole by D1's client.
  if (value instanceof Uint8Array) return value.slice()
  if (typeof value === 'number' && !Number.isFinite(value)) throw notExact('an infinity')
  if (typeof value !== 'bigint') return value
  if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) throw notExact('an integer beyond 2^53')
  return Number(value)
}

export function toBindings(values: readonly SqliteValue[]): readonly (null | number | string | Uint8Array)[] {
  return values.map(toBinding)
}

/** A cell as a Durable Object gives it, or as D1 does, which sends bytes as a list of numbers. */
export function toValue(cell: unknown): Value {
  if (cell instanceof ArrayBuffer) return new Uint8Array(cell)
  if (Array.isArray(cell)) return Uint8Array.from(cell)
  // Nothing else is left: null, number or string.
  return cell as Value
}

function notExact(what: string): TidemarkError {
  return new TidemarkError('VALUE_UNREPRESENTABLE', `The database's interface can not be given ${what} exactly.`)
}
