import {
  TidemarkError, type AbortOptions, type ChangeConnection, type ChangeLag, type ChangeSlice, type ChangeTable, type LeaseStore, type LogPosition, type ReadChangesRequest,
  type ReadChunkRequest, type RetainRequest, type SnapshotChunk, type TendOptions, type Unsubscribe,
} from '@tidemark/core/adapter'
import { aborted } from '../bounded.ts'
import type { PostgresSession } from '../postgres-session.ts'
import { GivenPlaces } from './given-places.ts'
import { toPlace, toPosition, type LogPlace } from './log-place.ts'
import { LogReader } from './log-reader.ts'
import type { Lsn } from './lsn.ts'
import type { PublishedTable } from './published-table.ts'
import { dropPublication, markPublication } from './publication.ts'
import { isPublicationGap, PublicationWatch } from './publication-watch.ts'
import { dropSlot, gap, readFlushed, readHead, readSlot, requireWritten, slotInUse, type GapReason } from './replication-slot.ts'
import { RetentionWatch } from './retention-watch.ts'
import { SlotLeases } from './slot-leases.ts'
import { SlotStream } from './slot-stream.ts'
import { describeAll, setUpSlot, type SlotSetup } from './slot-setup.ts'
import { SnapshotChunks } from './snapshot-chunks.ts'
import type { StreamSettings } from './stream-settings.ts'
import { StreamTables } from './stream-tables.ts'
import { REREAD_EVENTS, ToastReader } from './toast-reader.ts'
import { TypeNames } from './type-names.ts'

/** A publication that is not there where the log is decoded. A slot that is not is told of when a stream is opened. */
function isPublicationMissing(error: unknown): boolean {
  return isPublicationGap(error) || (error instanceof TidemarkError && error.detail === UNDEFINED_OBJECT)
}

/** SQLSTATE. */
const UNDEFINED_OBJECT = '42704'
/** Closing waits no longer than this for a server that does not answer. */
const DROP_MS = 2_000

/** One slot, open. Its log is read once, for all readers, and forgotten by the server up to what is retained. */
export class PostgresChangeConnection implements ChangeConnection {
  readonly leases: LeaseStore
  readonly #leases: SlotLeases
  readonly #session: PostgresSession
  readonly #settings: StreamSettings
  readonly #described: readonly PublishedTable[]
  readonly #types: TypeNames
  readonly #tables: StreamTables
  readonly #snapshots: SnapshotChunks
  readonly #toast: ToastReader | undefined
  readonly #retention: RetentionWatch
  readonly #publication: PublicationWatch
  readonly #given = new GivenPlaces()
  readonly #listeners = new Set<() => void>()
  #setup: SlotSetup
  /** Whether slot and publication were found in order since something was last wrong with them. */
  #isSetUp = true
  #made: GapReason | undefined
  /** What the stream would not have from here on. Told by the next read. */
  #fault: TidemarkError | undefined
  #isUndecodable = false
  /** Why there is no slot, if there is none. */
  #missing: GapReason = 'slot-missing'
  #stream: SlotStream | undefined
  #opening: Promise<SlotStream> | undefined
  /** The slot is being given up: nothing is opened meanwhile. */
  #dropping: Promise<void> | undefined
  #reader: LogReader | undefined
  #durable: Lsn = 0n
  /** A snapshot waits for the log to come to here. */
  #awaited: Lsn = 0n
  #isDisposed = false

  private constructor(session: PostgresSession, settings: StreamSettings, opened: { readonly tables: readonly PublishedTable[]; readonly setup: SlotSetup }) {
    this.#session = session
    this.#settings = settings
    this.#described = opened.tables
    this.#setup = opened.setup
    this.#made = opened.setup.made
    this.#retention = new RetentionWatch(settings)
    this.#publication = new PublicationWatch(settings.publication)
    this.#types = new TypeNames(session)
    this.#tables = new StreamTables(this.#types, opened.tables)
    this.#toast = settings.unchangedToast === 'reread' ? new ToastReader(session, this.#tables) : undefined
    this.#snapshots = new SnapshotChunks({ session, settings, tables: this.#tables, epoch: () => this.#epoch })
    this.#leases = new SlotLeases(async () => void await this.#open({}))
    this.leases = this.#leases
  }

  /** Looks at everything before it makes anything. Errors: `LOG_UNAVAILABLE`, `LOG_NOT_OWNED`, `TABLE_*`, `SOURCE_*`. */
  static async open(session: PostgresSession, settings: StreamSettings, options: AbortOptions): Promise<PostgresChangeConnection> {
    const tables = await describeAll(session, settings, options)
    const setup = await setUpSlot(session, settings, { tables, ...options })
    const connection = new PostgresChangeConnection(session, settings, { tables, setup })
    await connection.#publication.begin(session, tables, options)
    if (settings.isTemporary) await connection.#openFirst(options)
    return connection
  }

  async tables(options: AbortOptions = {}): Promise<readonly ChangeTable[]> {
    this.#require(options)
    return this.#tables.current
  }

  async head(options: AbortOptions = {}): Promise<LogPosition> {
    this.#require(options)
    if (this.#settings.isTemporary) await this.#open(options)
    else if (!this.#isSetUp) await this.#setUp(options)
    return toPosition({ epoch: this.#epoch, lsn: await readHead(this.#session, options), delivered: undefined })
  }

  async verify(position: LogPosition, options: AbortOptions = {}): Promise<void> {
    this.#require(options)
    const { epoch, lsn } = toPlace(position)
    if (epoch !== this.#epoch) throw gap('source-changed')
    if (this.#settings.isTemporary) return this.#verifyTemporary(lsn, options)
    const slot = await readSlot(this.#session, this.#settings.slot, options)
    if (slot === undefined || slot.isLost) {
      this.#isSetUp = false
      throw gap(slot === undefined ? this.#missing : 'slot-lost')
    }
    if (slot.confirmed > lsn) throw gap(this.#reasonAt(lsn), { position: lsn, confirmed: slot.confirmed })
    await requireWritten(this.#session, lsn, options)
  }

  async readChanges(request: ReadChangesRequest): Promise<ChangeSlice> {
    this.#require(request)
    if (this.#fault !== undefined) throw await this.#told(this.#fault)
    const reader = await this.#readFrom(request.after, request)
    const before = reader.place
    // Nobody can come back to what was read: the server may forget it.
    if (this.#settings.isTemporary) this.#acknowledge(toPlace(request.after))
    try {
      const slice = await this.#read(reader, request)
      this.#note(reader.place, before, slice)
      return slice
    } catch (error) {
      const isGivenUp = this.#dropping !== undefined
      await this.#closeStream()
      if (isPublicationMissing(error)) throw await this.#told(gap('publication-changed'))
      // The stream was closed under this very read: the next one tells of the gap.
      throw isGivenUp ? new TidemarkError('SOURCE_BUSY', 'The replication slot is being given up.') : error
    }
  }

  async #read(reader: LogReader, request: ReadChangesRequest): Promise<ChangeSlice> {
    if (this.#toast === undefined) return reader.read(request)
    const { limit } = request
    return this.#toast.complete(await reader.read({ ...request, limit: { ...limit, events: Math.min(limit.events, REREAD_EVENTS) } }), request)
  }

  async readChunk(request: ReadChunkRequest): Promise<SnapshotChunk> {
    this.#require(request)
    const chunk = await this.#snapshots.read(request)
    this.#awaited = toPlace(chunk.through).lsn
    return chunk
  }

  onWake(listener: () => void): Unsubscribe {
    // One entry per call, also for a listener that is given twice.
    const entry = (): void => listener()
    this.#listeners.add(entry)
    return () => void this.#listeners.delete(entry)
  }

  async retain({ position, fence, ...options }: RetainRequest): Promise<void> {
    this.#require(options)
    if (!this.#leases.isCurrent(fence)) throw new TidemarkError('LEASE_LOST', `Another worker has taken the lease "${fence.lease}".`)
    this.#acknowledge(toPlace(position))
  }

  #acknowledge(place: LogPlace): void {
    const given = place.epoch === this.#epoch ? this.#given.upTo(place.lsn) : undefined
    if (given === undefined || given <= this.#durable) return
    this.#durable = given
    this.#stream?.replication.acknowledge(given)
  }

  /** The slot is this stream's alone: without it nothing holds the log. */
  async release(_consumer: string, options: AbortOptions = {}): Promise<void> {
    this.#require(options)
    const { slot, publication } = this.#settings
    await this.#closeStream()
    if (this.#settings.isTemporary) return
    await dropSlot(this.#session, slot, options)
    await dropPublication(this.#session, { publication, slot, ...options })
    this.#isSetUp = false
  }

  /** Whoever is the consumer: the slot knows one place. */
  async retained(_consumer: string, options: AbortOptions = {}): Promise<LogPosition | undefined> {
    this.#require(options)
    if (this.#settings.isTemporary) return toPosition({ epoch: this.#epoch, lsn: (await this.#open(options)).confirmed, delivered: undefined })
    const slot = await readSlot(this.#session, this.#settings.slot, options)
    return slot === undefined || slot.isLost ? undefined : toPosition({ epoch: this.#epoch, lsn: slot.confirmed, delivered: undefined })
  }

  /** The server purges. */
  async purge(options: AbortOptions = {}): Promise<boolean> {
    this.#require(options)
    return false
  }

  async lag(position: LogPosition, options: AbortOptions = {}): Promise<ChangeLag> {
    this.#require(options)
    const behind = await readFlushed(this.#session, options) - toPlace(position).lsn
    return { events: undefined, bytes: Math.max(0, Number(behind)), ms: undefined }
  }

  async tend(options: TendOptions): Promise<void> {
    this.#require(options)
    await this.#lookAtPublication(options)
    await this.#retention.tend(this.#session, options, (bound) => {
      this.#dropping = this.#drop(bound).finally(() => { this.#dropping = undefined })
      return this.#dropping
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return
    this.#isDisposed = true
    this.#leases.close()
    this.#snapshots.close()
    await this.#opening?.catch(() => undefined)
    await this.#dropping?.catch(() => undefined)
    await this.#closeStream()
    await this.#dropTemporary()
    await this.#session[Symbol.asyncDispose]()
  }

  get #epoch(): string {
    const { systemId, timeline } = this.#setup.facts
    return `${systemId}.${timeline}.${this.#settings.slot}`
  }

  async #lookAtPublication(options: AbortOptions): Promise<void> {
    try {
      await this.#publication.look(this.#session, options)
    } catch (error) {
      if (!isPublicationGap(error)) throw error
      this.#fault = error
      this.#wake()
    }
  }

  /** Once: who goes on after that begins with a slot that is made anew. */
  async #told(error: TidemarkError): Promise<TidemarkError> {
    this.#fault = undefined
    this.#publication.end()
    this.#isSetUp = false
    this.#isUndecodable = true
    await this.#closeStream()
    return error
  }

  #reasonAt(lsn: Lsn): GapReason {
    const { droppedBefore } = this.#setup
    return droppedBefore !== undefined && lsn < droppedBefore ? 'slot-dropped' : this.#made ?? 'slot-ahead'
  }

  /** The reader that stands at the position: the one there is, or a new one over the stream from its beginning. */
  async #readFrom(after: LogPosition, options: AbortOptions): Promise<LogReader> {
    const place = toPlace(after)
    const reader = this.#reader
    // Also over a stream that has failed: what came before that is read first, and then it tells why.
    if (reader !== undefined && toPosition(reader.place).sequence === after.sequence && place.epoch === this.#epoch) return reader
    // A stream from which something was read can't be read from its beginning again.
    if (reader !== undefined) await this.#closeStream()
    const stream = await this.#open(options)
    if (place.epoch !== this.#epoch) throw gap('source-changed')
    if (stream.confirmed > place.lsn) throw gap(this.#reasonAt(place.lsn), { position: place.lsn, confirmed: stream.confirmed })
    await requireWritten(this.#session, place.lsn, options)
    this.#reader = new LogReader({
      source: this.#settings.name, stream: stream.items, session: this.#session, tables: this.#tables, types: this.#types, after: place, now: this.#settings.now, messages: this.#settings.messages,
    })
    return this.#reader
  }

  /** What was read may be acknowledged once it is durable; where a snapshot waits for the log, the server is asked how far that is. */
  #note(place: LogPlace, before: LogPlace, slice: ChangeSlice): void {
    if (slice.commit && place.lsn > before.lsn) this.#given.add(place.lsn)
    if (slice.isLast && place.lsn < this.#awaited) this.#stream?.replication.ask()
  }

  /** The stream that is open, or a new one. */
  async #open(options: AbortOptions): Promise<SlotStream> {
    await this.#dropping?.catch(() => undefined) // whoever drops is told
    if (this.#stream?.isOpen === true) return this.#stream
    this.#opening ??= this.#openAnew(options).finally(() => { this.#opening = undefined })
    return this.#opening
  }

  async #openAnew(options: AbortOptions): Promise<SlotStream> {
    const old = this.#stream
    await this.#closeStream()
    if (old !== undefined && this.#settings.isTemporary) {
      // It went with its connection. Told once: whoever goes on after that has another.
      this.#stream = undefined
      throw gap('slot-missing')
    }
    this.#isSetUp = false
    await this.#setUp(options)
    try {
      const stream = await SlotStream.open(this.#session, this.#settings, {
        ...options, oldPid: old?.pid, senderTimeoutMs: this.#setup.facts.senderTimeoutMs, confirmed: this.#setup.slot.confirmed, durable: this.#durable, onArrival: () => this.#wake(),
      })
      this.#stream = stream
      if (this.#isDisposed) await this.#closeStream()
      return stream
    } catch (error) {
      if (error instanceof TidemarkError && error.code === 'LEASE_HELD') this.#leases.lose()
      throw error
    }
  }

  async #setUp(options: AbortOptions): Promise<void> {
    const setup = await setUpSlot(this.#session, this.#settings, { tables: this.#described, isUndecodable: this.#isUndecodable, ...options })
    this.#isUndecodable = false
    await this.#publication.begin(this.#session, this.#described, options)
    this.#setup = { ...setup, isPublicationNew: setup.isPublicationNew || this.#setup.isPublicationNew }
    if (setup.made !== undefined) {
      this.#made = setup.made
      // Of a slot that is no more.
      this.#durable = 0n
    }
    this.#isSetUp = true
    this.#missing = 'slot-missing'
  }

  /** Gives up the slot, and what was not read, for the room that it takes. The note comes first: whoever begins anew is to know why. */
  async #drop(options: AbortOptions): Promise<void> {
    const { slot, publication } = this.#settings
    await this.#opening?.catch(() => undefined) // whoever opens is told
    const found = await readSlot(this.#session, slot, options)
    if (found === undefined) return
    if (found.activePid !== undefined && found.activePid !== this.#stream?.pid) throw slotInUse(slot, { detail: undefined, cause: undefined })
    await markPublication(this.#session, { publication, slot, dropped: 'open', ...options })
    await this.#closeStream()
    await dropSlot(this.#session, slot, options)
    this.#missing = 'slot-dropped'
    this.#isSetUp = false
    this.#wake()
  }

  async #openFirst(options: AbortOptions): Promise<void> {
    try {
      await this.#open(options)
    } catch (error) {
      await this.#dropTemporary()
      throw error
    }
  }

  async #verifyTemporary(lsn: Lsn, options: AbortOptions): Promise<void> {
    const { confirmed } = await this.#open(options)
    if (confirmed > lsn) throw gap('slot-ahead', { position: lsn, confirmed })
  }

  /** The publication that was made for a temporary slot. One that can't be dropped just now costs nothing but its name. */
  async #dropTemporary(): Promise<void> {
    if (!this.#settings.isTemporary || !this.#setup.isPublicationNew) return
    const { publication, slot } = this.#settings
    await dropPublication(this.#session, { publication, slot, signal: AbortSignal.timeout(DROP_MS) }).catch(() => undefined)
  }

  async #closeStream(): Promise<void> {
    const stream = this.#stream
    this.#reader = undefined
    await stream?.close(this.#session)
  }

  #wake(): void {
    for (const listener of this.#listeners) listener()
  }

  #require({ signal }: AbortOptions): void {
    if (this.#isDisposed) throw new TidemarkError('CLOSED', 'The connection to the source is closed.')
    if (signal?.aborted === true) throw aborted()
  }
}
