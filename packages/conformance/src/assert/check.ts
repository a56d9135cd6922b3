import { ConformanceError } from './conformance-error.ts'

/** Throws unless the condition holds. `what` is the sentence that ought to be true. */
export function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new ConformanceError(`Not so: ${what}`)
}
