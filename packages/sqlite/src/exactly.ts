import type { SqliteQuery, SqliteValue } from './driver.ts'
import { mapPlaceholders } from './map-placeholders.ts'

/**
 * The same statement for a host that binds numbers as finite doubles only: integers go as texts that are cast, infinities as they are written in SQL, and texts
 * with a NUL as bytes. The plus takes the affinity of the cast away, so that comparing means what it means for a bound value.
 */
export function exactly({ sql, parameters = [] }: SqliteQuery): SqliteQuery {
  // Most statements have no such value, and a statement of many rows is long.
  if (parameters.every(isPlain)) return { sql, parameters }
  const bound: SqliteValue[] = []
  const text = mapPlaceholders(sql, (index) => {
    const value = parameters[index] ?? null
    if (value === Infinity || value === -Infinity) return value > 0 ? '9e999' : '-9e999'
    const [expression, given] = expressionOf(value)
    bound.push(given)
    return expression
  })
  return { sql: text, parameters: bound }
}

function expressionOf(value: SqliteValue): readonly [expression: string, bound: SqliteValue] {
  if (typeof value === 'bigint') return ['+CAST(? AS INTEGER)', value.toString()]
  return typeof value === 'string' && value.includes('\0') ? ['+CAST(? AS TEXT)', new TextEncoder().encode(value)] : ['?', value]
}

function isPlain(value: SqliteValue): boolean {
  switch (typeof value) {
    case 'bigint': return false
    case 'number': return Number.isFinite(value)
    case 'string': return !value.includes('\0')
    default: return true
  }
}
