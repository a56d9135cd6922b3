import type { Value } from '@tidemark/core/adapter'

/** Whether two cells are the same: class and content. */
export function isSameValue(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b) return true
  if (!(a instanceof Uint8Array) || !(b instanceof Uint8Array) || a.length !== b.length) return false
  return a.every((byte, index) => byte === b[index])
}
