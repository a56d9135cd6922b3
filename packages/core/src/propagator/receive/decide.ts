import type { LogPosition } from '../../change/log-position.ts'
import type { PeerChunk, PeerHello, PeerTableState, PeerUnit, RelayedFrom } from '../../dialect/propagation-target.ts'

/** What a receiver knows of one sender. */
export interface SenderState {
  /** Of the log that it follows now. */
  readonly epoch: string
  /** Of logs of this name that it has followed before. */
  readonly retired: readonly string[]
  /** The last commit that was applied. */
  readonly at: LogPosition
  /** Up to where parts of a transaction that has not ended are kept; `null`: there are none. */
  readonly keptTo: LogPosition | null
  /** How often it was begun anew: a log that was restored from a backup has other changes under the same places. */
  readonly restarts?: number | undefined
}

/** Up to where the receiver has the log. */
export function reached({ at, keptTo }: SenderState): LogPosition {
  return keptTo ?? at
}

/** `begin`: from the head of its log, with copies of all tables that a copy is wanted of. */
export type HelloDecision = 'join' | 'known' | 'begin' | 'taken'

/** A name that another log has is only given up to one that says so, and never back to one that had it before. */
export function decideHello(state: SenderState | undefined, hello: PeerHello, own: string | undefined): HelloDecision {
  if (hello.origin === own) return 'taken'
  if (state === undefined) return 'join'
  if (state.epoch === hello.epoch) return isAt(reached(state), hello.restarts) ? 'begin' : 'known'
  return hello.takesOver && !state.retired.includes(hello.epoch) ? 'begin' : 'taken'
}

function isAt({ sequence, detail }: LogPosition, place: LogPosition | undefined): boolean {
  return place?.sequence === sequence && place.detail === detail
}

/** `done`: an earlier try has. `keep`: its transaction goes on. */
export type UnitDecision = 'unknown' | 'elsewhere' | 'done' | 'keep' | 'apply'

/** Whether changes of a table are applied: not before the first of its rows have come, which show them. */
export function takesChanges(state: PeerTableState): boolean {
  return state.state === 'live' || (state.state === 'copying' && state.after !== null)
}

/**
 * A unit is applied when it begins exactly where the receiver stands, and so once and in order, whatever is sent again, twice, late or by
 * two senders of one log. One that leaves out changes of a table which has got rows meanwhile was made before, and would leave a hole.
 */
export function decideUnit(state: SenderState | undefined, tables: ReadonlyMap<string, { readonly state: PeerTableState }>, unit: PeerUnit): UnitDecision {
  const { epoch, from, to, isCommit, without } = unit
  if (state?.epoch !== epoch) return 'unknown'
  const { sequence } = reached(state)
  if (to.sequence <= sequence) return 'done'
  if (from.sequence !== sequence || without.some((name) => hasRows(tables.get(name)?.state))) return 'elsewhere'
  return isCommit ? 'apply' : 'keep'
}

function hasRows(state: PeerTableState | undefined): boolean {
  return state !== undefined && takesChanges(state)
}

export type ChunkDecision = 'unknown' | 'elsewhere' | 'apply'

/** Rows are right for a receiver that has all of the log up to where they were read, and no part of what comes after. */
export function decideChunk(state: SenderState | undefined, table: PeerTableState | undefined, { epoch, at, after }: PeerChunk): ChunkDecision {
  if (state?.epoch !== epoch) return 'unknown'
  if (state.keptTo !== null || state.at.sequence !== at.sequence) return 'elsewhere'
  return table?.state === 'copying' && table.after === after ? 'apply' : 'elsewhere'
}

/** How a receiver stands with one table of an instance whose changes others pass on to it. */
export interface RelayedTable {
  /** As the maker's own hello left it; `undefined`: it sends nothing here by itself. */
  readonly direct: PeerTableState | undefined
  /** Up to where its log has come by others. */
  readonly through: { readonly epoch: string; readonly sequence: string } | undefined
  /** Numbers of the last rows of its snapshots that have come, by who got them from it. */
  readonly copied: ReadonlyMap<string, string>
}

/**
 * Whether some of the passed-on changes have come by another way already. Done again, on rows that are newer, they pass through states in which
 * another row has what only it may have; all that has such a thing too early comes again behind it.
 */
export function repeatsRelayed({ epoch, after }: RelayedFrom, { through }: RelayedTable): boolean {
  return after !== undefined && through?.epoch === epoch && through.sequence > after
}

/**
 * Whether a passed-on change of a table is applied. Not when it comes home, when its maker sends the table here itself, or when it has come by
 * another way already. By table, because those who pass changes on may pass on different tables.
 */
export function takesRelayed(relayed: RelayedFrom, { direct, through, copied }: RelayedTable, own: string | undefined): boolean {
  const { origin, epoch, sequence, copy } = relayed
  if (origin === own || direct?.state === 'live' || direct?.state === 'copying') return false
  if (copy === undefined) return through?.epoch !== epoch || through.sequence < sequence
  // Rows show all of the log up to where they were read, and are older than what has come from beyond it.
  const isOlder = through?.epoch === epoch && through.sequence > sequence
  return copy.via !== own && !isOlder && (copied.get(copy.via) ?? '') < copy.number
}
