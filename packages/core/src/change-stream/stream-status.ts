import type { ChangeConnector } from '../change/change-event.ts'
import type { ChangeLag, ChangeSourceCapabilities, LogRetention } from '../dialect/change-source.ts'
import type { ErrorReport } from '../errors/tidemark-error.ts'
import type { SourceState } from './change-stream-events.ts'
import type { SubscriberState } from './subscriber-life.ts'

export interface SubscriberStatus {
  readonly id: string
  /** `away`: it has a checkpoint, and the log waits for it, but it is not subscribed in this process. */
  readonly state: SubscriberState | 'away'
  readonly durable: boolean
  /** Up to where everything is acknowledged, printable. */
  readonly position: string
  /** How far that is behind the log's end; `undefined` while the source does not answer. */
  readonly lag: ChangeLag | undefined
}

/** One source as it stands. Holds no credential and no row. */
export interface SourceStatus {
  readonly name: string
  readonly connector: ChangeConnector
  readonly address: string
  readonly capabilities: ChangeSourceCapabilities
  readonly state: SourceState
  /** The last commit in the log, printable; `undefined` while the source is not open. */
  readonly head: string | undefined
  /** What the source keeps of its log, as of the last heartbeat; `undefined` where that takes no room at it, or while it is not open. */
  readonly retention: LogRetention | undefined
  /** What failed last; gone once the source answers again. */
  readonly lastError: ErrorReport | undefined
  readonly subscribers: readonly SubscriberStatus[]
}
