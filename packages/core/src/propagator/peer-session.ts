import type { RowVersion } from '../change/hybrid-clock.ts'
import { printPosition, type LogPosition } from '../change/log-position.ts'
import type { ChangeEvent } from '../change/change-event.ts'
import type { ChangeSlice, ChangeTable, SliceLimit } from '../dialect/change-source.ts'
import type { PeerAnswer, PeerChunk, PeerHello, PeerMessage, PeerTableState, PeerUnit } from '../dialect/propagation-target.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import { abortable } from '../util/abortable.ts'
import { askPeer } from './ask-peer.ts'
import { toPeerTable } from './described-tables.ts'
import { makeUnit } from './make-unit.ts'
import type { OpenLog } from './open-log.ts'
import type { Peer } from './peer.ts'
import type { PropagatorContext } from './propagator-context.ts'
import { readCopy } from './read-copy.ts'
import { takesChanges } from './receive/decide.ts'
import { parseRelayed, type MarkedChange } from './receive/relayed-text.ts'

/** What a session tells of. */
export interface SessionObserver {
  readonly onAnswer: (answer: PeerAnswer) => void
  readonly onApplied: (unit: PeerUnit) => void
  readonly onCopied: (chunk: PeerChunk) => void
}

export interface SessionOptions {
  readonly peer: Peer
  readonly log: OpenLog
  readonly context: PropagatorContext
  readonly observer: SessionObserver
  /** Whether everything is copied anew: the log has a gap behind the peer's place. */
  readonly restarts: boolean
}

/** Between two messages that only say how far the log is, of changes that are none of a peer's, in milliseconds. */
const ADVANCE_INTERVAL_MS = 10_000

/**
 * One peer, from its `hello` on: brings it forward by one message at a time. Holds nothing that the peer's answers do not tell again, so
 * that after any error a new one goes on.
 */
export class PeerSession {
  readonly #peer: Peer
  readonly #log: OpenLog
  readonly #context: PropagatorContext
  readonly #observer: SessionObserver
  readonly #epoch: string
  #origin: string | undefined
  /** Up to where the peer has the log. */
  #at: LogPosition
  /** Up to where it was read: ahead of `#at` by changes that are none of the peer's. */
  #cursor: LogPosition
  /** The last commit that the peer has. */
  #commit: LogPosition | undefined
  #isAtCommit: boolean
  /** What the peer was told of. */
  #described: readonly ChangeTable[]
  #tables: ReadonlyMap<string, PeerTableState>
  /** Of the next message: small once one was too large, then greater again with each that is taken. */
  #limit: SliceLimit
  #advancedAtMs: number

  private constructor(options: SessionOptions, state: { readonly epoch: string; readonly described: readonly ChangeTable[]; readonly at: LogPosition; readonly answer: PeerAnswer }) {
    this.#peer = options.peer
    this.#log = options.log
    this.#context = options.context
    this.#observer = options.observer
    this.#epoch = state.epoch
    this.#at = this.#cursor = state.at
    this.#origin = state.answer.origin
    this.#isAtCommit = state.answer.isCommit
    this.#commit = state.answer.isCommit ? state.at : undefined
    this.#described = inOrder(state.described, Object.keys(state.answer.tables))
    this.#tables = this.#statesOf(state.answer.tables)
    this.#limit = options.context.settings.batch
    this.#advancedAtMs = options.context.runtime.now()
  }

  /** Errors: the peer's and the source's; `CHANGE_GAP` where the log has not what the peer needs and no copies are wanted. */
  static async open(options: SessionOptions, signal: AbortSignal): Promise<PeerSession> {
    const { log, context: { settings }, peer } = options
    const described = await log.describe()
    const head = await beginning(options, signal)
    // Held before the peer is told of it: what follows must not be purged meanwhile.
    if (await log.connection.retained(consumerOf(peer), { signal }) === undefined) await log.retain(consumerOf(peer), head, { atOnce: true })
    const hello = helloOf(options.context, { described, head })
    const answer = await askPeer(options, hello, signal)
    if (answer.at === null) throw new TidemarkError('PEER_ANSWER_INVALID', 'The peer does not say where it stands.')
    if (!options.restarts && await isReachable(log, answer.at, settings.snapshot)) return new PeerSession(options, { epoch: head.epoch, described, at: answer.at, answer })
    await log.retain(consumerOf(peer), head, { atOnce: true })
    const again = await askPeer(options, { ...hello, restarts: answer.at }, signal)
    if (again.at?.sequence !== head.sequence) throw new TidemarkError('PEER_BUSY', 'The peer has moved on meanwhile.')
    return new PeerSession(options, { epoch: head.epoch, described, at: head, answer: again })
  }

  get tables(): ReadonlyMap<string, PeerTableState> {
    return this.#tables
  }

  get isCopying(): boolean {
    return this.#nextCopy() !== undefined
  }

  /** One message, or a look at the log. `idle`: the peer has all that there is. */
  async step(signal: AbortSignal): Promise<'more' | 'idle'> {
    try {
      return await this.#next(signal)
    } catch (error) {
      // Made of fewer changes, as long as it has more than one.
      if (!(error instanceof TidemarkError) || error.code !== 'PEER_TOO_LARGE' || this.#limit.events === 1) throw error
      this.#resize(1 / 4)
      return 'more'
    }
  }

  async #next(signal: AbortSignal): Promise<'more' | 'idle'> {
    const copy = this.#nextCopy()
    if (copy !== undefined) return this.#copy(copy, signal)
    return await this.#stream(undefined, signal) === 'end' ? 'idle' : 'more'
  }

  /** Notes the peer's place in the source's log for good. */
  async retain(options: { readonly atOnce?: boolean } = {}): Promise<void> {
    if (this.#commit !== undefined) await this.#log.retain(consumerOf(this.#peer), this.#commit, options)
  }

  /** Goes on behind a message that the peer refuses for good. */
  async skip(message: PeerMessage, signal: AbortSignal): Promise<void> {
    if (message.type === 'unit') await this.#send({ ...message, tables: [], changes: [] }, signal)
    if (message.type === 'chunk') await this.#send({ ...message, rows: [], versions: message.versions === undefined ? undefined : [], tombstones: [] }, signal)
  }

  #nextCopy(): { readonly table: string; readonly after: string | null } | undefined {
    for (const [table, state] of this.#tables) if (state.state === 'copying') return { table, after: state.after }
    return undefined
  }

  /** The next piece of a table, once the peer has all of the log up to where it was read. */
  async #copy({ table, after }: { readonly table: string; readonly after: string | null }, signal: AbortSignal): Promise<'more'> {
    const piece = await readCopy(this.#log, { sender: this.#sender(), table, after, limit: this.#limit, versions: this.#context.versions }, signal)
    while (await this.#stream(piece.through, signal) !== 'end');
    if (this.#at.sequence !== piece.through.sequence) await this.#advance(piece.through, signal)
    const chunk = await piece.chunk()
    const answer = await this.#send(chunk, signal)
    if (answer.outcome === 'applied') this.#observer.onCopied(chunk)
    return 'more'
  }

  /** The next slice of the log. `end`: there is none, or `through` is reached. */
  async #stream(through: LogPosition | undefined, signal: AbortSignal): Promise<'more' | 'end'> {
    const stamped = await this.#stamped(through)
    if (stamped?.isEnd === true) return 'end'
    const slice = await abortable(this.#log.shared.read({ after: this.#cursor, through: stamped?.through ?? through, limit: this.#limit }), signal)
    const isEmpty = slice.events.length === 0 && slice.schemas.length === 0
    this.#log.tables.note(slice.schemas)
    if (slice.schemas.length > 0) await this.#describeAgain(slice, signal)
    const unit = this.#unit(slice, stamped?.version)
    // What it keeps of a transaction is applied when that ends, also where the rest of it is none of its, or no more than the mark of its end.
    const endsKept = slice.commit && !this.#isAtCommit && unit.to.sequence !== unit.from.sequence
    if (unit.changes.length > 0 || endsKept) await this.#sendUnit(unit, slice, signal)
    else await this.#pass(slice, signal)
    if (isEmpty && slice.isLast && stamped !== undefined) this.#cursor = stamped.through
    // Up to the stamp is not up to the end: the next look tells.
    return isEmpty && slice.isLast && stamped === undefined ? 'end' : 'more'
  }

  /** Tells the peer of tables that have changed, before it gets rows of them: it may follow. */
  async #describeAgain({ position }: ChangeSlice, signal: AbortSignal): Promise<void> {
    this.#described = await this.#log.describe()
    const hello = helloOf(this.#context, { described: this.#described, head: position })
    const answer = await askPeer({ peer: this.#peer, context: this.#context }, hello, signal)
    if (answer.at?.epoch !== this.#epoch || answer.at.sequence !== this.#at.sequence) throw new TidemarkError('PEER_BUSY', 'The peer has been brought forward by another sender.')
    this.#described = inOrder(this.#described, Object.keys(answer.tables))
    this.#tables = this.#statesOf(answer.tables)
  }

  /**
   * Where several instances write: up to where to read, so that all own changes have one version, and that. Only what has a version is
   * read. `isEnd`: there is nothing more, or `limit` is reached.
   */
  async #stamped(limit: LogPosition | undefined): Promise<{ readonly through: LogPosition; readonly version: RowVersion | undefined; readonly isEnd: boolean } | undefined> {
    const { versions } = this.#context
    if (versions === undefined) return undefined
    const all = await versions.stamp()
    const { sequence } = this.#cursor
    const next = all === undefined || all.epoch !== this.#epoch ? undefined : await versions.stampAfter(sequence)
    const end = [limit?.sequence, all?.sequence, next?.sequence].filter((place) => place !== undefined).toSorted()[0] ?? sequence
    return { through: { epoch: this.#epoch, sequence: end, detail: '' }, version: next?.version, isEnd: end <= sequence }
  }

  #unit(slice: ChangeSlice, stamp: RowVersion | undefined): PeerUnit {
    const { settings } = this.#context
    const marked = slice.origin === undefined ? undefined : parseRelayed(slice.origin)
    const isWanted = slice.origin === undefined || (settings.relay && marked !== undefined && this.#isNews(marked))
    const version = slice.origin === undefined ? stamp : marked?.from.version
    return makeUnit({ sender: this.#sender(), from: this.#at, slice, relayed: marked?.from, version, without: this.#without(), tables: this.#log.tables, wants: isWanted ? (event) => this.#wants(event) : () => false })
  }

  /** Neither who made it nor who sent it here needs it back. */
  #isNews({ from, sentBy }: MarkedChange): boolean {
    return from.origin !== this.#context.settings.origin && from.origin !== this.#origin && sentBy !== this.#origin
  }

  /** Changes of a table that has yet to be copied show in the rows that come. */
  #wants({ table }: ChangeEvent): boolean {
    if (this.#context.settings.tables?.includes(table) === false) return false
    const state = this.#tables.get(table)
    return state !== undefined && takesChanges(state)
  }

  #without(): readonly string[] {
    return [...this.#tables].filter(([, state]) => !takesChanges(state)).map(([name]) => name)
  }

  async #sendUnit(unit: PeerUnit, slice: ChangeSlice, signal: AbortSignal): Promise<void> {
    // While the peer works, the next slice is read: whoever asks for it finds it there.
    if (!slice.isLast && this.#context.versions === undefined) this.#log.shared.read({ after: slice.position, limit: this.#limit }).catch(() => undefined)
    const answer = await this.#send(unit, signal)
    if (answer.outcome === 'applied') this.#observer.onApplied(unit)
  }

  /** Over changes that are none of the peer's. It is told now and then, so that the log need not keep them for it. */
  async #pass(slice: ChangeSlice, signal: AbortSignal): Promise<void> {
    this.#cursor = slice.position
    const isTime = this.#context.runtime.now() - this.#advancedAtMs >= ADVANCE_INTERVAL_MS
    if (slice.commit && isTime && slice.position.sequence !== this.#at.sequence) await this.#advance(slice.position, signal)
  }

  async #advance(to: LogPosition, signal: AbortSignal): Promise<void> {
    await this.#send({ type: 'unit', ...this.#sender(), from: this.#at, to, isCommit: true, relayed: undefined, version: undefined, without: this.#without(), tables: [], changes: [] }, signal)
  }

  async #send(message: PeerMessage, signal: AbortSignal): Promise<PeerAnswer> {
    const answer = await askPeer({ peer: this.#peer, context: this.#context }, message, signal)
    this.#observer.onAnswer(answer)
    if (answer.at === null || answer.at.epoch !== this.#epoch) throw new TidemarkError('PEER_BUSY', 'The peer does not know this log any more.')
    const before = this.#progress()
    this.#merge(answer)
    if (this.#progress() === before) throw new TidemarkError('PEER_ANSWER_INVALID', 'The peer stays where it was, whatever it is sent.')
    this.#resize(2)
    this.#advancedAtMs = this.#context.runtime.now()
    return answer
  }

  /** Every answer to a message moves this: forward, back to where the peer is, or to another state of the table. */
  #progress(): string {
    return JSON.stringify([printPosition(this.#at), this.#at.detail, ...this.#tables])
  }

  #resize(factor: number): void {
    const { events, bytes } = this.#context.settings.batch
    this.#limit = { events: Math.min(events, Math.ceil(this.#limit.events * factor)), bytes: Math.min(bytes, Math.ceil(this.#limit.bytes * factor)) }
  }

  #merge({ at, isCommit, tables }: PeerAnswer): void {
    if (at === null) return
    this.#at = this.#cursor = at
    this.#isAtCommit = isCommit
    if (isCommit) this.#commit = at
    this.#tables = this.#statesOf(tables)
  }

  /** Nothing tells the rows of a table without key from each other, so that no peer is told of it. */
  #statesOf(tables: PeerAnswer['tables']): ReadonlyMap<string, PeerTableState> {
    const stateOf = ({ name, key }: ChangeTable): PeerTableState => {
      if (key.length === 0) return { state: 'refused', error: new TidemarkError('KEY_REQUIRED', `The table '${name}' has no key.`, { remedy: 'Give the table a primary key.' }).toJSON() }
      return Object.hasOwn(tables, name) ? tables[name] ?? LIVE : LIVE
    }
    return new Map(this.#described.map((table) => [table.name, stateOf(table)]))
  }

  #sender(): { readonly origin: string; readonly epoch: string } {
    return { origin: this.#context.settings.origin, epoch: this.#epoch }
  }
}

/** Tables are copied in the order in which the peer names them: it may need parents first. */
function inOrder(tables: readonly ChangeTable[], names: readonly string[]): readonly ChangeTable[] {
  const place = ({ name }: ChangeTable): number => (names.includes(name) ? names.indexOf(name) : names.length)
  return tables.toSorted((a, b) => place(a) - place(b))
}

const LIVE: PeerTableState = { state: 'live' }

/**
 * Where a peer's part of the log begins when it has none yet. Where several instances write, no further than all changes have versions: what
 * is before it may be purged, and must not be forgotten.
 */
async function beginning({ log, context: { versions } }: SessionOptions, signal: AbortSignal): Promise<LogPosition> {
  const stamped = await versions?.stamp()
  return stamped === undefined ? log.connection.head({ signal }) : { ...stamped, detail: '' }
}

/** By which the source's log knows a peer. */
export function consumerOf(peer: Pick<Peer, 'name'>): string {
  return `propagator:${peer.name}`
}

function helloOf({ settings: { origin, snapshot, takesOver }, versions }: PropagatorContext, { described, head }: { readonly described: readonly ChangeTable[]; readonly head: LogPosition }): PeerHello {
  const tables = described.filter(({ key }) => key.length > 0).map(toPeerTable)
  return { type: 'hello', origin, epoch: head.epoch, head, tables, snapshot, takesOver, isVersioned: versions !== undefined, restarts: undefined }
}

/** `false` where everything has to be copied anew. Errors: `CHANGE_GAP`. */
async function isReachable(log: OpenLog, at: LogPosition, snapshot: boolean): Promise<boolean> {
  try {
    await log.connection.verify(at)
    return true
  } catch (error) {
    if (!(error instanceof TidemarkError) || error.code !== 'CHANGE_GAP' || !snapshot) throw error
    return false
  }
}
