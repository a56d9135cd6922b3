import type { HandlerSettings } from './handler-settings.ts'
import type { ImportJobs } from './imports/import-jobs.ts'
import type { Tally } from './metrics/tally.ts'

/** What routes have in common while a handler lives. */
export interface HandlerContext extends HandlerSettings {
  readonly tally: Tally
  readonly imports: ImportJobs
  /** Fires when the handler is disposed. */
  readonly closing: AbortSignal
  /** Feeds that are open. */
  readonly feeds: Set<object>
  /** Ids of exports that this handler runs. */
  readonly exportsRunning: Set<string>
}
