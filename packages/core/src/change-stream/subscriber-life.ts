/** What a subscriber is doing. */
export type SubscriberState =
  /** Its checkpoint is being loaded and looked up in the log. */
  | 'starting'
  /** Receives rows of its snapshot and the changes around them. */
  | 'snapshot'
  | 'streaming'
  /** Its handler has failed and gets the batch again after a delay. */
  | 'retrying'
  /** Ended by its owner or by `stop()`: a durable one goes on from its checkpoint. */
  | 'stopped'
  /** Ended by an error. */
  | 'failed'

/** Which states may follow. The last two are for good. */
const NEXT = {
  starting: ['snapshot', 'streaming', 'stopped', 'failed'],
  snapshot: ['streaming', 'retrying', 'stopped', 'failed'],
  streaming: ['snapshot', 'retrying', 'stopped', 'failed'],
  retrying: ['snapshot', 'streaming', 'stopped', 'failed'],
  stopped: [],
  failed: [],
} as const satisfies Readonly<Record<SubscriberState, readonly SubscriberState[]>>

export function mayFollow(from: SubscriberState, to: SubscriberState): boolean {
  const next: readonly SubscriberState[] = NEXT[from]
  return next.includes(to)
}

export function isOver(state: SubscriberState): boolean {
  return NEXT[state].length === 0
}
