import {
  TidemarkError, type AbortOptions, type ChangeConnection, type ChangeLag, type ChangeSlice, type ChangeTable, type LeaseStore, type LogPosition, type ReadChangesRequest,
  type RetainRequest, type TendOptions, type Unsubscribe,
} from '@tidemark/core/adapter'
import { aborted } from '../bounded.ts'
import type { ExecutorSession } from '../executor-session.ts'
import type { SqlSession } from '../sql-session.ts'
import { GivenPlaces } from './given-places.ts'
import { toPlace, toPosition, type LogPlace } from './log-place.ts'
import { LogReader } from './log-reader.ts'
import { formatLsn, type Lsn } from './lsn.ts'
import { nextPollDelayMs } from './poll-delay.ts'
import type { PollSettings } from './poll-settings.ts'
import { PolledLog } from './polled-log.ts'
import type { PublishedTable } from './published-table.ts'
import { dropPublication } from './publication.ts'
import { isPublicationGap, PublicationWatch } from './publication-watch.ts'
import { dropSlot, gap, readFlushed, readHead, readSlot, requireWritten, orSlotBusy, type GapReason } from './replication-slot.ts'
import { RetentionWatch } from './retention-watch.ts'
import { CREATE_LEASES, IS_CURRENT, RowLeases } from './row-leases.ts'
import { describeTables, setUpSlot, type SlotSetup } from './slot-setup.ts'
import { StreamTables } from './stream-tables.ts'
import { TypeNames } from './type-names.ts'

const ADVANCE = `SELECT pg_catalog.pg_replication_slot_advance(l.slot::pg_catalog.name, $3::pg_catalog.text::pg_catalog.pg_lsn) FROM (${IS_CURRENT}) AS l`

interface Reading {
  readonly log: PolledLog
  readonly reader: LogReader
}

/** A slot that is looked at from time to time, over whatever runs SQL. Its log is read once, for all readers, and forgotten by the server up to what is retained. */
export class PolledChangeConnection implements ChangeConnection {
  readonly leases: LeaseStore
  readonly #session: ExecutorSession
  readonly #settings: PollSettings
  readonly #described: readonly PublishedTable[]
  readonly #types: TypeNames
  readonly #tables: StreamTables
  readonly #retention: RetentionWatch
  readonly #publication: PublicationWatch
  /** What a look would not have from here on. Told by the next read. */
  #fault: TidemarkError | undefined
  #isUndecodable = false
  readonly #given = new GivenPlaces()
  #setup: SlotSetup
  #isSetUp = true
  #made: GapReason | undefined
  #reading: Reading | undefined
  #hasMore = false
  #delayMs: number
  #dueAtMs = Number.NEGATIVE_INFINITY
  /** Looks and moves of the slot, one at a time: the server refuses the second. */
  #turn: Promise<unknown> = Promise.resolve()
  #isDisposed = false

  private constructor(session: ExecutorSession, settings: PollSettings, opened: { readonly tables: readonly PublishedTable[]; readonly setup: SlotSetup }) {
    this.#session = session
    this.#settings = settings
    this.#described = opened.tables
    this.#setup = opened.setup
    this.#made = opened.setup.made
    this.#types = new TypeNames(session)
    this.#tables = new StreamTables(this.#types, opened.tables)
    this.#retention = new RetentionWatch(settings)
    this.#publication = new PublicationWatch(settings.publication)
    this.#delayMs = settings.pollIntervalMs
    this.leases = new RowLeases(session, settings.slot)
  }

  /** Looks at everything before it makes anything. Errors: `LOG_UNAVAILABLE`, `LOG_NOT_OWNED`, `TABLE_*`, `SOURCE_*`. */
  static async open(session: ExecutorSession, settings: PollSettings, options: AbortOptions): Promise<PolledChangeConnection> {
    const tables = await describeTables(session, settings, options)
    await createLeases(session, options)
    const setup = await setUpSlot(session, settings, { tables, ...options })
    const connection = new PolledChangeConnection(session, settings, { tables, setup })
    await connection.#publication.begin(session, tables, options)
    return connection
  }

  async tables(options: AbortOptions = {}): Promise<readonly ChangeTable[]> {
    this.#require(options)
    return this.#tables.current
  }

  async head(options: AbortOptions = {}): Promise<LogPosition> {
    this.#require(options)
    if (!this.#isSetUp) await this.#setUp(options)
    return toPosition({ epoch: this.#epoch, lsn: await readHead(this.#session, options), delivered: undefined })
  }

  async verify(position: LogPosition, options: AbortOptions = {}): Promise<void> {
    this.#require(options)
    const { epoch, lsn } = toPlace(position)
    if (epoch !== this.#epoch) throw gap('source-changed')
    const slot = await readSlot(this.#session, this.#settings.slot, options)
    if (slot === undefined || slot.isLost) throw this.#lost(slot === undefined ? 'slot-missing' : 'slot-lost')
    if (slot.confirmed > lsn) throw gap(this.#made ?? 'slot-ahead', { position: lsn, confirmed: slot.confirmed })
    await requireWritten(this.#session, lsn, options)
  }

  async readChanges(request: ReadChangesRequest): Promise<ChangeSlice> {
    this.#require(request)
    if (this.#fault !== undefined) throw this.#told(this.#fault)
    const reading = await this.#readFrom(toPlace(request.after), request)
    try {
      return await this.#read(reading, request)
    } catch (error) {
      throw error instanceof TidemarkError && error.code === 'CHANGE_GAP' ? this.#told(error) : this.#again(error)
    }
  }

  /** Nobody wakes a reader: the slot is looked at again when its time has come. */
  onWake(): Unsubscribe {
    return () => undefined
  }

  async retain({ position, fence, ...options }: RetainRequest): Promise<void> {
    this.#require(options)
    const place = toPlace(position)
    const given = place.epoch === this.#epoch ? this.#given.upTo(place.lsn) : undefined
    await this.#alone(() => this.#advance(given, { token: fence.token, lease: fence.lease, ...options }))
  }

  async release(_consumer: string, options: AbortOptions = {}): Promise<void> {
    this.#require(options)
    this.#reading = undefined
    await this.#alone(() => dropSlot(this.#session, this.#settings.slot, options))
    const { publication, slot } = this.#settings
    await dropPublication(this.#session, { publication, slot, ...options })
    this.#isSetUp = false
  }

  async retained(_consumer: string, options: AbortOptions = {}): Promise<LogPosition | undefined> {
    this.#require(options)
    const slot = await readSlot(this.#session, this.#settings.slot, options)
    return slot === undefined || slot.isLost ? undefined : toPosition({ epoch: this.#epoch, lsn: slot.confirmed, delivered: undefined })
  }

  /** The server purges. */
  async purge(options: AbortOptions = {}): Promise<boolean> {
    this.#require(options)
    return false
  }

  /** Tells only: the slot is not dropped. */
  async tend(options: TendOptions): Promise<void> {
    this.#require(options)
    await this.#publication.look(this.#session, options).catch((error: unknown) => {
      if (!isPublicationGap(error)) throw error
      this.#fault = error
    })
    await this.#retention.tend(this.#session, options, () => Promise.resolve())
  }

  async lag(position: LogPosition, options: AbortOptions = {}): Promise<ChangeLag> {
    this.#require(options)
    const behind = await readFlushed(this.#session, options) - toPlace(position).lsn
    return { events: undefined, bytes: Math.max(0, Number(behind)), ms: undefined }
  }

  /** The executor is the application's. A look that was aborted has the slot until the server is done with it, and would be in the way of whoever comes next. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    await this.#turn
    await this.#session.settled()
  }

  /** The next read begins where the slot stands. */
  #again(error: unknown): unknown {
    this.#reading = undefined
    this.#dueAtMs = Number.NEGATIVE_INFINITY
    return error
  }

  /** Once: who goes on after that begins with a slot that is made anew, where the publication was missing. */
  #told(error: TidemarkError): TidemarkError {
    this.#again(error)
    this.#fault = undefined
    this.#publication.end()
    this.#isSetUp = false
    this.#isUndecodable = error.detail === 'slot-missing' || isPublicationGap(error)
    return error
  }

  get #epoch(): string {
    const { systemId, timeline } = this.#setup.facts
    return `${systemId}.${timeline}.${this.#settings.slot}`
  }

  /** The reading that stands at the place: the one there is, or a new one from where the slot stands. */
  async #readFrom(place: LogPlace, options: AbortOptions): Promise<Reading> {
    const reading = this.#reading
    if (reading !== undefined && place.epoch === this.#epoch && toPosition(reading.reader.place).sequence === toPosition(place).sequence) return reading
    if (!this.#isSetUp) await this.#setUp(options)
    if (place.epoch !== this.#epoch) throw gap('source-changed')
    const slot = await readSlot(this.#session, this.#settings.slot, options)
    if (slot === undefined || slot.isLost) throw this.#lost(slot === undefined ? 'slot-missing' : 'slot-lost')
    if (slot.confirmed <= place.lsn) await requireWritten(this.#session, place.lsn, options)
    return this.#begin(place, slot.confirmed, this.#made)
  }

  /** What the slot gives again is left out by the reader, up to the place. */
  #begin(place: LogPlace, confirmed: Lsn, made: GapReason | undefined): Reading {
    if (confirmed > place.lsn) throw gap(made ?? 'slot-ahead', { position: place.lsn, confirmed })
    const { name, slot, publication, maxPollRows, maxPollBytes, messages, now } = this.#settings
    const log = new PolledLog({ session: this.#session, slot, publication, confirmed, hasMessages: messages !== undefined, maxRows: maxPollRows, maxBytes: maxPollBytes })
    const reader = new LogReader({ source: name, stream: log, session: this.#session, tables: this.#tables, types: this.#types, after: place, now, messages })
    this.#reading = { log, reader }
    this.#hasMore = false
    this.#dueAtMs = Number.NEGATIVE_INFINITY
    return this.#reading
  }

  async #read({ log, reader }: Reading, request: ReadChangesRequest): Promise<ChangeSlice> {
    if (log.isEmpty && (this.#hasMore || this.#settings.now() >= this.#dueAtMs)) {
      const isMoved = await this.#alone(() => this.#look(log, request))
      if (isMoved) {
        const slot = await readSlot(this.#session, this.#settings.slot, request)
        if (slot === undefined || slot.isLost) throw this.#lost(slot === undefined ? 'slot-missing' : 'slot-lost')
        return this.#read(this.#begin(reader.place, slot.confirmed, undefined), request)
      }
    }
    const before = reader.place
    const slice = await reader.read(request)
    if (slice.commit && reader.place.lsn > before.lsn) this.#given.add(reader.place.lsn)
    return this.#hasMore && log.isEmpty ? { ...slice, isLast: false } : slice
  }

  /** Whether somebody else has moved the slot. */
  async #look(log: PolledLog, options: AbortOptions): Promise<boolean> {
    const { now } = this.#settings
    const looked = await log.look(this.#setup.facts, options)
    if (looked === 'moved') return true
    this.#hasMore = looked === 'more'
    this.#delayMs = nextPollDelayMs(this.#delayMs, log.hasRows, this.#settings)
    this.#dueAtMs = now() + this.#delayMs
    return false
  }

  /** Checks the fence also where nothing is to be moved. Errors: `LEASE_LOST`. */
  async #advance(given: Lsn | undefined, { token, lease, signal }: AbortOptions & { readonly token: number; readonly lease: string }): Promise<void> {
    const log = this.#reading?.log
    const isDue = given !== undefined && log !== undefined && given > log.confirmed
    const fence = [this.#settings.slot, String(token)]
    const statement = isDue ? { text: ADVANCE, parameters: [...fence, formatLsn(given)] } : { text: IS_CURRENT, parameters: fence }
    const rows = await this.#session.query({ ...statement, signal }).catch((error: unknown) => { throw orSlotBusy(error) })
    if (rows.length === 0) throw new TidemarkError('LEASE_LOST', `Another worker has taken the lease "${lease}".`)
    if (isDue) log.moved(given)
  }

  #lost(reason: GapReason): TidemarkError {
    this.#isSetUp = false
    return gap(reason)
  }

  async #setUp(options: AbortOptions): Promise<void> {
    this.#setup = await setUpSlot(this.#session, this.#settings, { tables: this.#described, isUndecodable: this.#isUndecodable, ...options })
    this.#isUndecodable = false
    await this.#publication.begin(this.#session, this.#described, options)
    this.#made = this.#setup.made ?? this.#made
    this.#isSetUp = true
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }

  #require({ signal }: AbortOptions): void {
    if (this.#isDisposed) throw new TidemarkError('CLOSED', 'The connection to the source is closed.')
    if (signal?.aborted === true) throw aborted()
  }
}

async function createLeases(session: SqlSession, options: AbortOptions): Promise<void> {
  const { text, remedy } = { text: CREATE_LEASES, remedy: `As an owner of the schema: ${CREATE_LEASES}; and GRANT SELECT, INSERT, UPDATE on it to the source user.` }
  const [found] = await session.query({ text: 'SELECT pg_catalog.to_regclass(\'public.tidemark_leases\')::pg_catalog.text', signal: options.signal })
  if (found?.[0] !== null && found !== undefined) return
  try {
    await session.execute(text, options)
  } catch (error) {
    if (!(error instanceof TidemarkError) || error.code !== 'SOURCE_PERMISSION_DENIED') throw error
    throw new TidemarkError(error.code, 'The source user may not make the table of leases.', { detail: error.detail, cause: error.cause, remedy })
  }
}
