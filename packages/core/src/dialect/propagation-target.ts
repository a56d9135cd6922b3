import type { LogPosition } from '../change/log-position.ts'
import type { RowValues } from '../change/value.ts'
import type { ErrorReport } from '../errors/tidemark-error.ts'
import type { AbortOptions } from './source.ts'

/** A column that travels: generated ones are computed anew by each peer. */
export interface PeerColumn {
  readonly name: string
  /** As the source declares it. */
  readonly type: string
}

/** A table as its source describes it, with every message that has rows of it. */
export interface PeerTable {
  readonly name: string
  readonly columns: readonly PeerColumn[]
  readonly key: readonly string[]
}

/**
 * One row, as it is from now on or by the key that it had. An update that moves a row to another key is a delete and an upsert, in
 * this order.
 */
export type PeerChange =
  | { readonly op: 'upsert'; /** Index into the unit's tables. */ readonly table: number; /** In the order of the table's columns. */ readonly values: RowValues }
  | { readonly op: 'delete'; readonly table: number; /** In the order of the table's key. */ readonly values: RowValues }
  | { readonly op: 'truncate'; readonly table: number }

/** Whose log a message is read from. */
export interface PeerSender {
  /** Name of the instance, unique among all peers. */
  readonly origin: string
  /** Of its log; another one means that the log was made anew. */
  readonly epoch: string
}

/** What a passed-on change was in the log of the instance that made it. */
export interface RelayedFrom {
  readonly origin: string
  readonly epoch: string
  /** Up to where its log has been applied with this; for rows of a snapshot, the place that they were read at. */
  readonly sequence: string
  /** Rows of a snapshot bring no log forward. */
  readonly isSnapshot: boolean
}

/** First word of a sender: who it is and what it sends. */
export interface PeerHello extends PeerSender {
  readonly type: 'hello'
  /** The end of the sender's log. */
  readonly head: LogPosition
  readonly tables: readonly PeerTable[]
  /** Whether tables whose rows the peer has not got from this log are copied. */
  readonly snapshot: boolean
  /** Whether it takes the place of another log of the same name. */
  readonly takesOver: boolean
  /** Whether everything is copied anew, because the log has nothing any more of what follows the peer's place. */
  readonly restarts: boolean
}

/** Changes of whole transactions, or one part of such. */
export interface PeerUnit extends PeerSender {
  readonly type: 'unit'
  /** The unit is all that the log has between these two, as far as it concerns the peer. */
  readonly from: LogPosition
  readonly to: LogPosition
  /** Whether a transaction ends with it. Where not, the peer keeps it until one does, and applies all in one. */
  readonly isCommit: boolean
  readonly tables: readonly PeerTable[]
  readonly changes: readonly PeerChange[]
  readonly relayed: RelayedFrom | undefined
}

/** Rows of a table as they stood at one place of the log, for a peer that has all of the log up to there. */
export interface PeerChunk extends PeerSender {
  readonly type: 'chunk'
  readonly table: PeerTable
  readonly at: LogPosition
  /** The cursor of the chunk before, opaque; `null` for the first. */
  readonly after: string | null
  /** The cursor behind this one; `null` when no row follows. */
  readonly next: string | null
  readonly rows: readonly RowValues[]
}

export type PeerMessage = PeerHello | PeerUnit | PeerChunk

/** How a peer stands with a table of one sender. */
export type PeerTableState =
  | { readonly state: 'live' }
  /** Its rows are being copied; `after` is the cursor of the last chunk. */
  | { readonly state: 'copying'; readonly after: string | null }
  /** Nothing of it is applied until the reason is gone; then it is copied. */
  | { readonly state: 'refused'; readonly error: ErrorReport }

/**
 * `applied`: done, now or by an earlier try whose answer was lost. `elsewhere`: the message does not begin where the peer stands, and nothing
 * was done. `unknown`: the peer does not know this log, so it wants a `hello`.
 */
export type PeerOutcome = 'applied' | 'elsewhere' | 'unknown'

/** Every answer says where the peer stands, so that a sender needs no memory of its own. */
export interface PeerAnswer {
  readonly outcome: PeerOutcome
  /** The peer's own name; `undefined` where it passes nothing on. */
  readonly origin: string | undefined
  /** Up to where it has the sender's log, with what it keeps of a transaction that has not ended; `null` where that is unknown. */
  readonly at: LogPosition | null
  /** Whether a transaction ends there. */
  readonly isCommit: boolean
  /** After `hello` of all tables, else of those that are not live. */
  readonly tables: Readonly<Record<string, PeerTableState>>
}

/** What a target is told about the instance that it belongs to. */
export interface PropagationSettings {
  /** The receiving instance's own name: changes that it made itself are not applied again. */
  readonly origin: string | undefined
  /** Whether rows that were there before the first contact may be replaced. */
  readonly replacesRows: boolean
  /** Whether tables and columns that are missing are made. */
  readonly followsSchema: boolean
  /** Whether writes of others than senders are refused. */
  readonly refusesLocalWrites: boolean
}

/** A database that takes the changes of its peers. */
export interface PropagationTarget {
  readonly address: string
  /** Opens nothing until it is used. */
  connect(settings: PropagationSettings): PropagationConnection
}

export interface PropagationConnection extends AsyncDisposable {
  /**
   * Does what the message says, in one transaction with the note of how far the sender's log has been applied. Safe to repeat, and to call from
   * several places at once.
   *
   * Errors: `ORIGIN_TAKEN`, `STATE_CORRUPT`, `TARGET_*`; nothing was done then.
   */
  take(message: PeerMessage, options?: AbortOptions): Promise<PeerAnswer>
}
