import type { LogPosition, Sequence } from '../change/log-position.ts'
import type { RowValues, Value } from '../change/value.ts'
import type { SliceLimit } from './change-source.ts'
import type { ErrorReport } from '../errors/tidemark-error.ts'
import type { RowVersion } from '../change/hybrid-clock.ts'
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
  /** Behind which place of its log the changes come: one that has come further by another way gets some of them twice. */
  readonly after?: string | undefined
  /**
   * Of rows of a snapshot, which bring no log forward: who got them from their maker, and which of those that it got they are, as text whose order
   * is theirs.
   */
  readonly copy?: { readonly via: string; readonly number: string } | undefined
  /** Of its changes, where several instances write. */
  readonly version?: RowVersion | undefined
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
  /** Whether several instances write, and each change has a version. */
  readonly isVersioned: boolean
  /**
   * The peer's place, where everything is to be copied anew because the log has nothing any more of what follows it. One that stands elsewhere
   * by now does not: an old request that comes again must not take it back.
   */
  readonly restarts: LogPosition | undefined
}

/** Changes of whole transactions, or one part of such. */
export interface PeerUnit extends PeerSender {
  readonly type: 'unit'
  /** The unit is all that the log has between these two, as far as it concerns the peer. */
  readonly from: LogPosition
  readonly to: LogPosition
  /** Whether a transaction ends with it. Where not, the peer keeps it until one does, and applies all in one. */
  readonly isCommit: boolean
  /**
   * Tables whose changes are left out, because the peer has yet to get their rows or refuses them. A peer that stands otherwise with one of
   * them does not take the unit: it was made before, and has come late.
   */
  readonly without: readonly string[]
  readonly tables: readonly PeerTable[]
  readonly changes: readonly PeerChange[]
  readonly relayed: RelayedFrom | undefined
  /** Of all its changes, where several instances write. */
  readonly version: RowVersion | undefined
}

/** Rows of a table as they stood at one place of the log, for a peer that has all of the log up to there. */
export interface PeerChunk extends PeerSender {
  readonly type: 'chunk'
  readonly table: PeerTable
  readonly at: LogPosition
  /** The cursor of the chunk before, opaque; `null` for the first. */
  readonly after: string | null
  /** The cursor behind this one; `null` when nothing follows. */
  readonly next: string | null
  readonly rows: readonly RowValues[]
  /** Of each row, where several instances write. */
  readonly versions: readonly RowVersion[] | undefined
  /** Rows that were deleted, so that the peer deletes them too and takes no older change of them. They come behind the last of the rows. */
  readonly tombstones: readonly Tombstone[]
}

/** A row that is gone, and since when. */
export interface Tombstone {
  /** In the order of the table's key. */
  readonly key: RowValues
  readonly version: RowVersion
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

/** What two changes of one row are decided by, where the user decides. No row is more than its version here: what is chosen is one of two. */
export interface RowConflict {
  readonly table: string
  readonly key: RowValues
  /** The row that is there; `null`: it is gone. */
  readonly mine: { readonly version: RowVersion; readonly row: Readonly<Record<string, Value>> | null }
  readonly theirs: { readonly version: RowVersion; readonly row: Readonly<Record<string, Value>> | null }
}

/** Says which of two stays. Must say the same at every instance, whichever of the two is there first. */
export type ResolveConflict = (conflict: RowConflict) => 'mine' | 'theirs'

/** Several instances write: of two changes of one row the later one stays, by the version that each has. */
export interface VersionedWrites {
  /** Default: the greater version. */
  readonly resolve: ResolveConflict | undefined
  /** How far a peer's clock may be ahead, in milliseconds. */
  readonly maxDriftMs: number
  /** How long it is remembered that a row is gone, in milliseconds. */
  readonly tombstoneMs: number
  readonly now: () => number
}

/** What a target is told about the instance that it belongs to. */
export interface PropagationSettings {
  /** The receiving instance's own name: changes that it made itself are not applied again. */
  readonly origin: string | undefined
  /** The tables that senders may write to; absent: all. */
  readonly tables: ReadonlySet<string> | undefined
  /** Whether rows that were there before the first contact may be replaced. */
  readonly replacesRows: boolean
  /** Whether tables and columns that are missing are made. */
  readonly followsSchema: boolean
  /** Whether writes of others than senders are refused. */
  readonly refusesLocalWrites: boolean
  /** Name of the change log that tells of this instance's own writes. */
  readonly log: string
  /** Absent: one instance writes a table. Needs an `origin`. */
  readonly versioned: VersionedWrites | undefined
}

/** Versions of the rows of the instance that a propagator belongs to. */
export interface RowVersions {
  /**
   * Gives every change of the log a version that has none yet, and tells up to where that was done: what is read beyond has none. Costs a look
   * where nothing was written.
   */
  stamp(): Promise<{ readonly epoch: string; readonly sequence: Sequence } | undefined>
  /** The first place behind this one up to which own changes have one version, and that; `undefined`: there are none. */
  stampAfter(sequence: Sequence): Promise<{ readonly sequence: Sequence; readonly version: RowVersion } | undefined>
  /**
   * Of rows by their keys, in their order, as they stood at a place of the log. One that was written to since has the least there is: what it has now is
   * that of its change, which comes by the log.
   */
  versionsOf(table: PeerTable, keys: readonly RowValues[], at: LogPosition): Promise<readonly RowVersion[]>
  /** What is remembered of deleted rows, at least one where there is one behind `after`. */
  tombstones(table: PeerTable, page: { readonly after: string | null; readonly limit: SliceLimit }): Promise<{ readonly tombstones: readonly Tombstone[]; readonly next: string | null }>
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
  /** Present exactly where the settings say that several instances write. */
  readonly versions?: RowVersions | undefined
}
