import type { ChangeBatch } from '../change/change-batch.ts'
import type { ChangeCheckpoint } from '../change/change-checkpoint.ts'
import type { AnyChangeTables, ChangeOp } from '../change/change-event.ts'
import type { LogMessage, MessageSelection } from '../change/log-message.ts'
import type { ChangeSource, SliceLimit } from '../dialect/change-source.ts'
import type { AbortOptions } from '../dialect/source.ts'
import type { RetryOptions } from '../engine/run-steps.ts'
import type { TidemarkError } from '../errors/tidemark-error.ts'
import type { Logger } from '../log/logger.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { StateStore } from '../state/state-store.ts'
import type { SubscriberState } from './subscriber-life.ts'

/** Names of the tables of a Kysely `DB` type; without one, any name. */
export type TableOf<DB> = keyof DB & string

/** A `DB` with some of its tables. */
export type Tables<DB, Table extends TableOf<DB>> = string extends keyof DB ? AnyChangeTables : Pick<DB, Table>

export interface ChangeStreamOptions {
  readonly source?: ChangeSource | undefined
  /** Several logs, each with its own name. */
  readonly sources?: readonly ChangeSource[] | undefined
  /** Who this stream is to the log: what it still needs is kept under this name. One process at a time serves it. Default `default`. */
  readonly name?: string | undefined
  /**
   * Whether subscribers without a checkpoint first get the rows that are there. Of tables that are captured or asked for only later, those who began so get the
   * rows when they begin again; a table that was made meanwhile is one of them. Default: as the source was made, or `none`.
   */
  readonly snapshot?: 'initial' | 'none' | undefined
  /** Where checkpoints of durable subscribers are kept. */
  readonly checkpoints?: StateStore | undefined
  /** What to do when changes are missing: end the subscriber, or give it a new snapshot. Default: as the source was made, or `fail`. */
  readonly onGap?: 'fail' | 'resnapshot' | undefined
  /** Greatest batch, whichever is reached first; a transaction that is larger comes in parts. Default 2,048 events, 1 MiB. */
  readonly batch?: Partial<SliceLimit> | undefined
  /** How much of what was read last is kept for all subscribers of a source together. Default 16 MiB. */
  readonly buffer?: { readonly bytes?: number | undefined } | undefined
  /** Of handlers, and, without an end, of sources and of the store. Default: 5 attempts, from 100 ms to 30 s, full jitter. */
  readonly retry?: Partial<RetryOptions> | undefined
  /** Time between two `heartbeat` events, in milliseconds. Default 10,000. */
  readonly heartbeatIntervalMs?: number | undefined
  /** Longest wait of `stop()` for handlers that are at work, in milliseconds. Default 1,000. */
  readonly stopGraceMs?: number | undefined
  /** Stable identity of this worker: with it a restarted process takes its own lease back at once. Default: random. */
  readonly instance?: string | undefined
  /** How long a crashed worker keeps others out, in milliseconds. Default 10,000. */
  readonly leaseTtlMs?: number | undefined
  /** Default: the host's clock and timers. */
  readonly runtime?: Runtime | undefined
  /** Default: silent. */
  readonly logger?: Logger | undefined
}

/** What every subscriber may choose. */
export interface ChangeSelection<Table extends string = string> extends AbortOptions {
  /** Only these; default: all that the source captures. */
  readonly tables?: readonly Table[] | undefined
  /** Only changes of these kinds. A snapshot comes in any case. */
  readonly ops?: readonly Exclude<ChangeOp, 'snapshot'>[] | undefined
  /** Which log; needed where the stream has several. */
  readonly source?: string | undefined
  /** Default: the stream's. */
  readonly snapshot?: 'initial' | 'none' | undefined
  /**
   * The checkpoint to go on from, where the subscriber keeps it itself. Comes before a stored one. `null`: it does, and has none yet.
   * Such a subscriber also gets batches without events, whose checkpoint it has to store like any other: the first, where there is no
   * snapshot, says where it begins, so that what changes before it has stored another is not missed.
   */
  readonly from?: ChangeCheckpoint | string | null | undefined
  /** Where to begin when there is no checkpoint at all. Default: with the snapshot, or at the log's end. */
  readonly startAt?: ChangeCheckpoint | string | undefined
}

/** What a subscriber that gets messages asks for; who asks for none gets none. */
export interface MessageChoice<Message extends LogMessage> {
  /**
   * Also the messages that programs wrote into the log, among the changes of `events`: all, or those of some prefixes. Where given, `tables` may be empty. Errors:
   * `NOT_SUPPORTED` where the source does not give them. Default: none.
   */
  readonly messages?: ([Message] extends [never] ? never : MessageSelection) | undefined
}

/** How far a live subscriber may fall behind. */
export interface LiveBudget {
  /** Default 16 MiB. */
  readonly maxBufferedBytes?: number | undefined
  /** Default 8,192. */
  readonly maxBufferedEvents?: number | undefined
  /** How long it may stay over that without gaining, in milliseconds. Default 30,000. */
  readonly graceMs?: number | undefined
}

/** Its signal ends the iteration. */
export interface LiveOptions<Table extends string = string, Message extends LogMessage = never> extends ChangeSelection<Table>, LiveBudget, MessageChoice<Message> {
  /** Its name in events and status. Default: a number. */
  readonly id?: string | undefined
}

/** Its signal ends the call to `subscribe`, not the subscription. */
export interface SubscribeOptions<DB = AnyChangeTables, Table extends string = string, Message extends LogMessage = never> extends ChangeSelection<Table>, LiveBudget, MessageChoice<Message> {
  /** Unique in the stream; a durable one's checkpoint is kept by it. */
  readonly id: string
  /**
   * Whether changes wait for this subscriber, also while it is not there. One that is not durable begins at the log's end each time
   * and is closed when it does not keep up. Default true.
   */
  readonly durable?: boolean | undefined
  /** Default: the stream's. */
  readonly retry?: Partial<RetryOptions> | undefined
  /** What follows when the handler has failed for the last time. Default `stop`. */
  readonly onError?: 'stop' | 'dead-letter' | undefined
  /** Takes the batch that the handler could not; once it has resolved, the subscriber goes on behind it. */
  readonly deadLetter?: ((batch: ChangeBatch<DB, Message>, error: TidemarkError) => unknown) | undefined
}

/** Resolved is acknowledged: the batch does not come again. */
export type ChangeHandler<DB = AnyChangeTables, Message extends LogMessage = never> = (batch: ChangeBatch<DB, Message>) => unknown

/** A subscriber at work. */
export interface Subscription extends AsyncDisposable {
  readonly id: string
  readonly status: () => SubscriberState
  /** Resolves when it was stopped; rejects with what ended it otherwise. Nobody has to look at it. */
  readonly done: Promise<void>
  /** Ends it and waits for the handler in flight. A durable one keeps its checkpoint, and the log waits for it; `forget` deletes that. */
  unsubscribe(options?: { readonly forget?: boolean | undefined }): Promise<void>
}
