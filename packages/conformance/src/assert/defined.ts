import { ConformanceError } from './conformance-error.ts'

/** The value, or a failure that says what is missing. */
export function defined<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new ConformanceError(`Missing: ${what}`)
  return value
}
