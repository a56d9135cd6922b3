import { TidemarkError } from '@tidemark/core'
import type { Scope } from './scope.ts'

/** A request that is about to be answered. */
export interface LimitCall {
  /** Its body is not to be read. */
  readonly request: Request
  /** What the route asks for; `peer` where the receiver asks itself. */
  readonly scope: Scope | 'peer'
  /** Method and pattern, such as `POST /export/dump`. */
  readonly route: string
}

/** When who asked may come again, in milliseconds from now. */
export interface RetryAfter {
  readonly retryAfterMs: number
}

/**
 * Says whether somebody has asked too often. It is called once a request, before `authorize`, so that who guesses tokens is limited, too. What it throws refuses, by 500.
 */
export type Limit = (call: LimitCall) => RetryAfter | undefined | Promise<RetryAfter | undefined>

export interface Limited {
  readonly error: TidemarkError
  readonly headers: Readonly<Record<string, string>>
}

/** What is to be answered to who has asked too often. */
export async function limitedBy(limit: Limit | undefined, call: LimitCall): Promise<Limited | undefined> {
  const after = await limit?.(call)
  if (after === undefined) return undefined
  // What is no time is the shortest one: who is limited is refused in any case.
  const seconds = Math.max(1, Math.ceil(after.retryAfterMs / 1_000) || 1)
  const error = new TidemarkError('TOO_MANY_REQUESTS', 'There were too many requests.', { remedy: `Come back in ${seconds} s.` })
  return { error, headers: { 'retry-after': String(seconds) } }
}
