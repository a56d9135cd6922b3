import type { LogPosition } from '../change/log-position.ts'

/** Below 0 when `a` comes first, 0 when they are the same place; `undefined` across epochs, which have no order. */
export function comparePositions(a: LogPosition, b: LogPosition): number | undefined {
  if (a.epoch !== b.epoch) return undefined
  if (a.sequence === b.sequence) return 0
  return a.sequence < b.sequence ? -1 : 1
}

/** Whether `a` is `b` or a later place of the same log. */
export function hasReached(a: LogPosition, b: LogPosition): boolean {
  const order = comparePositions(a, b)
  return order !== undefined && order >= 0
}
