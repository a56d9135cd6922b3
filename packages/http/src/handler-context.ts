import type { HandlerSettings } from './handler-settings.ts'
import type { Tally } from './metrics/tally.ts'

/** What routes have in common while a handler lives. */
export interface HandlerContext extends HandlerSettings {
  readonly tally: Tally
  /** Feeds that are open. */
  readonly feeds: Set<AbortController>
}
