import type { ServerOrigin } from './server.ts'
import { ServerUnavailableError, type PassedOver } from './server-unavailable-error.ts'

/** One way to a server: the server, or one sentence that says why this way is closed. */
export interface Way<Server extends object> {
  readonly origin: ServerOrigin
  open(): Promise<Server | string>
}

export interface ProvideOptions {
  /** What is wanted, for people: `PostgreSQL 16`. */
  readonly wanted: string
  /** Only these, when given. */
  readonly origins?: readonly ServerOrigin[] | undefined
  /** What someone can do about it when every way is closed: three sentences at least. */
  readonly remedies: readonly string[]
}

/**
 * Tries the ways in their order and takes the first that is open. A way that is open and fails, a server that does
 * not start, is an error at once: going on quietly to the next would hide it.
 */
export async function provide<Server extends object>(ways: readonly Way<Server>[], options: ProvideOptions): Promise<Server> {
  const passedOver: PassedOver[] = []
  for (const { origin, open } of ways) {
    if (options.origins?.includes(origin) === false) continue
    const outcome = await open()
    if (typeof outcome !== 'string') return outcome
    passedOver.push({ origin, reason: outcome })
  }
  throw new ServerUnavailableError(options.wanted, passedOver, options.remedies)
}
