import type { SchemaChange } from '../change/change-batch.ts'
import type { AnyChangeTables, ChangeEvent } from '../change/change-event.ts'
import type { LogRetention, RetentionAction } from '../dialect/change-source.ts'
import type { ErrorReport } from '../errors/tidemark-error.ts'
import type { SubscriberState } from './subscriber-life.ts'

export type SourceState = 'stopped' | 'connecting' | 'running' | 'reconnecting' | 'failed'

/** Events of a `ChangeStream`. Only `change` holds row values. */
export interface ChangeStreamEvents<DB = AnyChangeTables> {
  /** Each change as it is read, while the source is open. Not acknowledged: what happens while nobody listens is not repeated. */
  readonly change: ChangeEvent<DB>
  /** A table's columns or key from here on. */
  readonly schema: SchemaChange & { readonly source: string }
  readonly snapshot: {
    readonly source: string
    readonly subscriber: string
    readonly phase: 'started' | 'progress' | 'table-completed' | 'completed'
    /** The table that was read; `undefined` for `started` and `completed`. */
    readonly table: string | undefined
    /** Rows delivered since the snapshot began or was taken up again. */
    readonly rows: number
  }
  /** The stream is alive and this is how far it has read. */
  readonly heartbeat: { readonly source: string; readonly position: string }
  /** A batch is given to a handler; its checkpoint is saved; or it is given up, with `error`, and comes again. A try that is repeated is told by the event `error`. */
  readonly delivery: {
    readonly source: string
    readonly subscriber: string
    readonly phase: 'begun' | 'done' | 'failed'
    readonly events: number
    /** Whether a transaction ends with the batch. */
    readonly commit: boolean
    readonly error: ErrorReport | undefined
  }
  /** Changes are missing for a subscriber. */
  readonly gap: { readonly source: string; readonly subscriber: string; readonly error: ErrorReport; readonly action: 'fail' | 'resnapshot' }
  /** A subscriber is behind its budget: a durable one makes the stream hold changes for it (`pause`), a live one is closed. */
  readonly lag: {
    readonly source: string
    readonly subscriber: string
    readonly bufferedBytes: number
    readonly bufferedEvents: number
    readonly action: 'pause' | 'close'
  }
  /**
   * What the source keeps of its log has come to another state of health, from the first look on. `action` is what is about to be done
   * about it: `drop` gives up all that was not read yet, and is told of before.
   */
  readonly retention: LogRetention & { readonly source: string; readonly action: RetentionAction }
  /** Something failed. `delayMs` tells when it is tried again; `undefined`: it is not. */
  readonly error: {
    readonly source: string
    /** `undefined` when it is the source itself. */
    readonly subscriber: string | undefined
    readonly error: ErrorReport
    readonly attempt: number
    readonly delayMs: number | undefined
  }
  readonly status:
    | { readonly kind: 'source'; readonly source: string; readonly state: SourceState }
    | { readonly kind: 'subscriber'; readonly source: string; readonly subscriber: string; readonly state: SubscriberState }
}
