import type { LogNames } from './log-names.ts'
import type { RetentionLimit } from './log-retention.ts'
import type { LogViewOptions } from './log-view.ts'
import type { CaptureSettings } from './sync-capture.ts'

/** Everything a change source was made with, defaults filled in. */
export interface SqliteChangeSettings extends CaptureSettings, LogViewOptions {
  readonly name: string
  readonly names: LogNames
  readonly tables: readonly string[]
  readonly retention: RetentionLimit
  /** Whether a position that was given once need not be looked at again. */
  readonly trustsOwnPositions: boolean
  /** The name of a log that is made now. */
  readonly epoch: () => string
  readonly now: () => number
}
