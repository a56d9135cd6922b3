/** Something that will run later, unless cancelled. */
export interface Wakeup {
  cancel(): void
}

/**
 * The host as core sees it. Time, randomness and wake-ups come through here and from nowhere else, so that one
 * code path runs under a timer, a Durable Object alarm, a cron trigger and a test's fake clock.
 */
export interface Runtime {
  /** Milliseconds since 1970. */
  now(): number
  /** In [0, 1). */
  random(): number
  /** Settles after `delayMs`, or rejects with `ABORTED` as soon as the signal fires. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
  /** Keeps the host alive until `work` settles: `ctx.waitUntil` on Workers, a tracked set elsewhere. */
  waitUntil(work: Promise<unknown>): void
  /**
   * Calls the handler registered for `name` once, no earlier than `delayMs` from now; a later call for the same name
   * replaces the earlier. A host that can be evicted re-registers handlers by name when it wakes.
   */
  wakeAfter(name: string, delayMs: number, handler: () => Promise<void>): Wakeup
}
