/** Why a feed over a WebSocket ended; others are 4000 and the status of the `problem` that came before, such as 4410. */
export const CLOSE = {
  /** The handler was disposed: come back, with the last id. */
  goingAway: 1_001,
  /** The client sent what is no answer to a ping. */
  notUnderstood: 4_400,
  /** A ping was not answered in time: the client is gone, or too slow. */
  unanswered: 4_408,
} as const

/** The greatest code that applications may use is 4999. */
export function closeCodeOf(status: number): number {
  return 4_000 + status
}
