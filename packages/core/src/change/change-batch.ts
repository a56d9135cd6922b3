import type { AnyChangeTables, ChangeEvent } from './change-event.ts'
import type { ChangeCheckpoint } from './change-checkpoint.ts'
import type { LogMessage } from './log-message.ts'

/** A column of a captured table. */
export interface ChangeColumn {
  readonly name: string
  /** The engine's name of the type, empty where none is declared. */
  readonly type: string
  readonly nullable: boolean
  /** Computed by the database from other columns: left out when a row is written elsewhere. */
  readonly generated: boolean
}

/** A table's columns from here on. Comes before the first change that has them. */
export interface SchemaChange {
  readonly type: 'schema'
  readonly schema: string | null
  readonly table: string
  /** `undefined`: the table is gone. */
  readonly columns: readonly ChangeColumn[] | undefined
  /** Empty where the table has no key. */
  readonly key: readonly string[]
  readonly version: number
}

/**
 * What a handler receives: whole transactions in commit order, or a slice of one that is too large for memory.
 * Snapshot rows come as batches of their own. `Message` is `LogMessage` for subscribers that asked for messages.
 */
export interface ChangeBatch<DB = AnyChangeTables, Message extends LogMessage = never> {
  readonly events: readonly (ChangeEvent<DB> | Message)[]
  /** Changes of tables that take effect before the first event. */
  readonly schemas: readonly SchemaChange[]
  /** Whether a transaction begins with the first event. */
  readonly begin: boolean
  /** Whether a transaction ends with the last event. Only then is there a checkpoint. */
  readonly commit: boolean
  /** Where to go on after this batch. Store it together with the data to apply every change once. */
  readonly checkpoint: ChangeCheckpoint | null
  /** Fires when the stream stops or the subscriber is closed: end the work, it comes again. */
  readonly signal: AbortSignal
}
