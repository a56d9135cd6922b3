/** How much longer each wait is than the one before while nothing comes. */
const BACKOFF = 1.5

export interface PollDelays {
  readonly pollIntervalMs: number
  readonly maxPollIntervalMs: number
}

/** The wait before the next look: longer each time while nothing comes, and the shortest again once something has. */
export function nextPollDelayMs(delayMs: number, hasRows: boolean, { pollIntervalMs, maxPollIntervalMs }: PollDelays): number {
  return hasRows ? pollIntervalMs : Math.min(delayMs * BACKOFF, maxPollIntervalMs)
}
