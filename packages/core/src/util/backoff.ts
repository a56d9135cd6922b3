export interface BackoffOptions {
  /** Greatest delay before the first retry, in milliseconds. */
  readonly baseMs: number
  readonly maxMs: number
}

/**
 * Exponential backoff with full jitter: uniform in [0, min(maxMs, baseMs x 2^attempt)). Spreads retries of many
 * workers best of the usual variants ("Exponential Backoff And Jitter", AWS Architecture Blog).
 */
export function backoffMs(attempt: number, random: number, options: BackoffOptions): number {
  return random * Math.min(options.maxMs, options.baseMs * 2 ** Math.min(attempt, 30))
}
