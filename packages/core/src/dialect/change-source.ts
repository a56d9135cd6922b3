import type { ChangeColumn, SchemaChange } from '../change/change-batch.ts'
import type { ChangeConnector, ChangeEvent } from '../change/change-event.ts'
import type { LogMessage } from '../change/log-message.ts'
import type { LogPosition } from '../change/log-position.ts'
import type { Unsubscribe } from '../events/emitter.ts'
import type { Fence, LeaseStore } from '../state/lease.ts'
import type { AbortOptions } from './source.ts'

/** What a source of changes can do. Every field is required: an adapter answers, it never inherits a guess. */
export interface ChangeSourceCapabilities {
  /** Whether positions outlive the process, so that changes made while nobody listened are delivered later. */
  readonly resumes: boolean
  /**
   * Whether changes can be read again from any position that has not been purged, by several readers at once. Where not, one
   * reader serves all subscribers and waits for the slowest durable one.
   */
  readonly rereads: boolean
  /** Whether writes of other connections and processes are seen. Where not, they are noticed and are a gap. */
  readonly seesAllWriters: boolean
  /** `every`: each change in order; `net`: one change per row and transaction. */
  readonly changes: 'every' | 'net'
  /** `exact`: a batch can end at every commit; `merged`: transactions committed between two reads come as one. */
  readonly transactions: 'exact' | 'merged'
  /** How much `before` has at most. */
  readonly before: 'full' | 'key'
  /** Whether tables without a key can be captured. */
  readonly keylessTables: boolean
  /** Whether `readChunk` exists. */
  readonly snapshots: boolean
  /** Whether a change of a table's columns is seen. */
  readonly schemaChanges: boolean
  /** Whether slices have the messages that programs wrote into the log. */
  readonly messages: boolean
}

export interface ConnectChangesOptions extends AbortOptions {
  /** Tables that whoever connects wants, besides those that the source was made with. What there is then, `tables()` of the connection tells. */
  readonly tables?: readonly string[] | undefined
}

/** What a source's user chose for its subscribers. The options of a subscription and of the stream come before it. */
export interface ChangeSourceDefaults {
  readonly snapshot?: 'initial' | 'none' | undefined
  readonly onGap?: 'fail' | 'resnapshot' | undefined
}

/** A kind of log to read changes from. Made by a factory such as `sqliteChanges(db)`; opens nothing by itself. */
export interface ChangeSource {
  /** Logical name: part of every event's id and of every checkpoint. Unique in one stream. */
  readonly name: string
  readonly connector: ChangeConnector
  /** The address without credentials, for status and errors. */
  readonly address: string
  readonly capabilities: ChangeSourceCapabilities
  readonly defaults?: ChangeSourceDefaults | undefined
  /** Greatest time between two looks at the log when nothing wakes the reader, in milliseconds. */
  readonly pollIntervalMs: number
  /** Prepares what capturing needs and opens the log. Errors: `TABLE_UNKNOWN`, `NOT_SUPPORTED`, `LOG_NOT_OWNED`, `SOURCE_*`. */
  connect(options?: ConnectChangesOptions): Promise<ChangeConnection>
}

/** A captured table as it is now. */
export interface ChangeTable {
  readonly schema: string | null
  readonly name: string
  readonly columns: readonly ChangeColumn[]
  /** Empty where the table has no key. */
  readonly key: readonly string[]
  readonly version: number
}

export interface SliceLimit {
  readonly events: number
  readonly bytes: number
}

export interface ReadChangesRequest extends AbortOptions {
  /** Changes strictly after this. */
  readonly after: LogPosition
  /** Changes up to and with this one, the place of a commit as `readChunk` or an earlier slice gave it; absent: up to the log's end. Only where `rereads`. */
  readonly through?: LogPosition | undefined
  readonly limit: SliceLimit
}

/** Changes of whole transactions, or a part of one. */
export interface ChangeSlice {
  readonly events: readonly ChangeEvent[]
  /** In the order of the log, as events are: their positions tell which comes first. Absent: none. Only where `capabilities.messages`. */
  readonly messages?: readonly LogMessage[] | undefined
  /** Of the transaction that applied a peer's change, what its target said of it, opaque; such a slice has no other events. Absent: the application's own. */
  readonly origin?: string | undefined
  /** Take effect before the first event. */
  readonly schemas: readonly SchemaChange[]
  /** Whether a transaction begins with the first event. */
  readonly begin: boolean
  /** Whether a transaction ends with the last event. */
  readonly commit: boolean
  /** Where the next slice begins. Only a position at a commit may be kept as a checkpoint. */
  readonly position: LogPosition
  /** Roughly what events and messages take in memory. */
  readonly bytes: number
  /** Whether the log's end, or `through`, was reached. */
  readonly isLast: boolean
}

export interface ReadChunkRequest extends AbortOptions {
  readonly table: string
  /** As the chunk before gave it in `last`; absent: from the first row. */
  readonly after?: string | undefined
  /** Where the reader is in the log: the rows must not be older. Absent: as they are now. */
  readonly reached?: LogPosition | undefined
  readonly limit: SliceLimit
}

/** Rows of a table as they stood at one position of the log. */
export interface SnapshotChunk {
  /** Events of op `snapshot`, in key order. */
  readonly events: readonly ChangeEvent[]
  /**
   * The rows show every change up to this position and none after it: whoever has delivered the log up to here may deliver
   * them next, and go on behind it.
   */
  readonly through: LogPosition
  /** Key of the last row, encoded; `undefined` when there was none. */
  readonly last: string | undefined
  readonly bytes: number
  /** Whether no row followed. */
  readonly isLast: boolean
}

/** How far a position lies behind the log's end, as far as the source can tell for little. */
export interface ChangeLag {
  readonly events: number | undefined
  readonly bytes: number | undefined
  readonly ms: number | undefined
}

/**
 * - `ok`: the source keeps little of what it may keep for its readers
 * - `unbounded`: it would keep the log until its disk is full: nothing limits it
 * - `filling`: it keeps half of what it may, or more
 * - `over`: it keeps more than the stream was told to let it
 * - `lost`: it has given the log up; the next start tells of the gap
 * - `missing`: it keeps nothing for this stream
 */
export type LogHealth = 'ok' | 'unbounded' | 'filling' | 'over' | 'lost' | 'missing'

/** How much of its log a source keeps for its readers. */
export interface LogRetention {
  readonly health: LogHealth
  /** What it keeps. */
  readonly retainedBytes: number
  /** How far the readers are behind the log's end. */
  readonly lagBytes: number
  /** How much may be written until the source gives the log up; `undefined` without a limit of its own. */
  readonly safeBytes: number | undefined
  /** The lesser of the source's limit and the stream's; `undefined`: none. */
  readonly maxRetainedBytes: number | undefined
  /** By how much it has grown lately; negative where it shrinks; `undefined` at the first look. */
  readonly bytesPerSecond: number | undefined
  /** When the limit is reached at this rate, in milliseconds from now; `undefined` where it does not grow, or without a limit. */
  readonly exhaustedInMs: number | undefined
}

/** What follows from a look: `drop` gives the log up for good, so that the source's disk does not fill. */
export type RetentionAction = 'none' | 'alert' | 'drop'

export interface TendOptions extends AbortOptions {
  /** Hears what was seen, and what is about to be done about it, before it is done. */
  readonly tell: (retention: LogRetention, action: RetentionAction) => void
}

export interface RetainRequest extends AbortOptions {
  /** The stream that still needs the log from `position` on. */
  readonly consumer: string
  readonly position: LogPosition
  /** The consumer's lease. Errors: `LEASE_LOST` when it is stale; nothing is written then. */
  readonly fence: Fence
}

/**
 * One log, open. Safe for concurrent reads where `capabilities.rereads`. After an error the adapter has thrown away what was
 * broken; the next call opens anew.
 */
export interface ChangeConnection extends AsyncDisposable {
  /** Leases beside the log: one stream name is served by one process at a time. */
  readonly leases: LeaseStore
  /** The captured tables as of now, in no order. */
  tables(options?: AbortOptions): Promise<readonly ChangeTable[]>
  /** The last commit in the log. */
  head(options?: AbortOptions): Promise<LogPosition>
  /**
   * Whether everything after the position can still be read. Errors: `CHANGE_GAP` when not; `CHECKPOINT_FOREIGN` for a
   * position of another log.
   */
  verify(position: LogPosition, options?: AbortOptions): Promise<void>
  /** The next changes; no events and `isLast` when there are none. Errors: as `verify`, and `SOURCE_*`. */
  readChanges(request: ReadChangesRequest): Promise<ChangeSlice>
  /** Present exactly when `capabilities.snapshots`. Errors: `TABLE_UNKNOWN`, `SOURCE_*`. */
  readChunk?(request: ReadChunkRequest): Promise<SnapshotChunk>
  /** Calls the listener when there may be changes. It may be called for nothing, and must return at once. */
  onWake(listener: () => void): Unsubscribe
  /** Notes that the consumer is durable up to `position`: what no consumer needs any more may be purged. */
  retain(request: RetainRequest): Promise<void>
  /** Forgets a consumer for good, so that it holds the log no longer. */
  release(consumer: string, options?: AbortOptions): Promise<void>
  /** Where the consumer's `retain` stands; `undefined` for an unknown one. */
  retained(consumer: string, options?: AbortOptions): Promise<LogPosition | undefined>
  /** One bounded slice of purging. Returns whether more is to be done. Called between reads, at leisure. */
  purge(options?: AbortOptions): Promise<boolean>
  lag(position: LogPosition, options?: AbortOptions): Promise<ChangeLag>
  /** One look at what the source keeps of its log for this stream. Present where that can fill its disk. Called with each heartbeat. */
  tend?(options: TendOptions): Promise<void>
}
