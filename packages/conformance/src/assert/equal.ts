import { ConformanceError } from './conformance-error.ts'
import { show } from './show.ts'

/**
 * Throws unless both sides are structurally the same. Types count: `1` is not `1n`, a missing field is not
 * `undefined` only where a value stands on the other side.
 */
export function equal(actual: unknown, expected: unknown, what: string): void {
  // One canonical rendering decides, so what a failure prints is what was compared.
  const [left, right] = [canonical(actual), canonical(expected)]
  if (left === right) return
  throw new ConformanceError(`${what}: expected ${show(expected)}, got ${show(actual)}`, { actual, expected })
}

function canonical(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Uint8Array) return `bytes(${[...value].join(',')})`
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value)
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined)
  return `{${entries.map(([name, entry]) => `${JSON.stringify(name)}:${canonical(entry)}`).sort().join(',')}}`
}
