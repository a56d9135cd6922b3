import {
  PageSize, TidemarkError, type AbortOptions, type ChangeConnection, type ChangeLag, type ChangeSlice, type ChangeTable, type LeaseStore, type LogPosition,
  type ReadChangesRequest, type ReadChunkRequest, type RetainRequest, type RowValues, type SnapshotChunk, type Unsubscribe,
} from '@tidemark/core/adapter'
import { SqliteLeases } from '../sqlite-leases.ts'
import { CapturedTables } from './captured-tables.ts'
import { CommitBoundaries } from './commit-boundaries.ts'
import { logAnew } from './log-anew.ts'
import { toPlace, toPosition, type LogPlace } from './log-place.ts'
import type { LogSession } from './log-session.ts'
import { LogView, type LogHead } from './log-view.ts'
import { purgeLog, readConsumers, releaseConsumer, retainLog, type RetentionLimit } from './log-retention.ts'
import { chunkQuery, resumeAfter, toChunk } from './read-chunk.ts'
import { pageQuery, readSlice } from './read-slice.ts'
import type { SqliteChangeSettings } from './sqlite-change-settings.ts'
import { syncCapture } from './sync-capture.ts'
import { toChangeTable } from './to-change-table.ts'
import type { ReadingOptions } from './value-reading.ts'

/** Enough for every reader that goes on from where it was. */
const MAX_KNOWN = 4_096

/** An update in two entries must fit. */
const MIN_ROWS = 2

/** One open change log of a SQLite database. */
export class SqliteChangeConnection implements ChangeConnection {
  readonly leases: LeaseStore
  readonly #session: LogSession
  readonly #settings: SqliteChangeSettings
  readonly #tables: CapturedTables
  readonly #view: LogView
  readonly #boundaries = new CommitBoundaries()
  readonly #onWake: (listener: () => void) => Unsubscribe
  readonly #pageSizes = new Map<string, PageSize>()
  /** Positions that were found to be of this log, or came from it: no need to look again. */
  readonly #known = new Set<string>()
  #isDisposed = false
  /** The schema as the triggers were last seen to fit it, and the last change seen then. */
  #verified = { schemaVersion: -1, seq: 0 }

  private constructor(session: LogSession, settings: SqliteChangeSettings, onWake: (listener: () => void) => Unsubscribe) {
    this.#session = session
    this.#settings = settings
    this.#onWake = onWake
    this.#tables = new CapturedTables(session, settings.names)
    this.#view = new LogView(session, settings)
    this.leases = new SqliteLeases(settings.names.leases, (work) => session.write(work))
  }

  /** Brings the triggers in line with the tables. Errors: those of `syncCapture`. */
  static async open(session: LogSession, settings: SqliteChangeSettings, options: AbortOptions & { readonly onWake: (listener: () => void) => Unsubscribe }): Promise<SqliteChangeConnection> {
    const connection = new SqliteChangeConnection(session, settings, options.onWake)
    await connection.#sync(options)
    for (const { seq } of await readConsumers(session, settings.names, options)) connection.#boundaries.add(seq)
    return connection
  }

  async tables(options: AbortOptions = {}): Promise<readonly ChangeTable[]> {
    await this.#head(options)
    return this.#tables.current.map(toChangeTable)
  }

  async head(options: AbortOptions = {}): Promise<LogPosition> {
    return this.#given(toPosition(atEnd(await this.#head(options))))
  }

  async verify(position: LogPosition, options: AbortOptions = {}): Promise<void> {
    const place = toPlace(position)
    requireReachable(place, await this.#head(options))
    if (place.digest === undefined) return
    const found = await this.#view.digestAt(place.seq, options)
    if (found !== place.digest) throw gap('The entry at the checkpoint is another one: the database was restored or replaced.', 'source-changed')
    this.#given(position)
  }

  async readChanges(request: ReadChangesRequest): Promise<ChangeSlice> {
    const place = toPlace(request.after)
    if (place.digest !== undefined && !this.#isTrusted(request.after)) await this.verify(request.after, request)
    const through = request.through === undefined ? undefined : toPlace(request.through).seq
    const last = place.unit?.end ?? through
    const size = this.#pageSize('log', request.limit)
    const wanted = Math.max(MIN_ROWS, Math.min(size.rows, request.limit.events))
    const { head, rows, reading } = await this.#read((form) => pageQuery({ names: this.#settings.names, width: this.#view.width, after: place.seq, through: last, rows: wanted + 1 }, form), request)
    requireReachable(place, head)
    if (through !== undefined) this.#boundaries.add(through)
    // The end of the transaction that is being read may not be the end of what there is.
    const isWhole = rows.length <= wanted && (last === undefined || last >= (through ?? head.seq))
    const slice = readSlice(this.#tables, {
      place, head, rows: rows.slice(0, wanted), ahead: rows[wanted], reading, isWhole, boundaries: this.#boundaries, source: this.#settings.name, nowMs: this.#settings.now(), limit: request.limit,
    })
    size.observe(slice.events.length, slice.bytes)
    this.#given(slice.position)
    return slice
  }

  async readChunk(request: ReadChunkRequest): Promise<SnapshotChunk> {
    const size = this.#pageSize(request.table, request.limit)
    const wanted = Math.max(1, Math.min(size.rows, request.limit.events))
    const { head, rows, reading, layout } = await this.#readTable(request, wanted)
    const chunk = toChunk(this.#tables, { request, layout, head, rows, wanted, reading, source: this.#settings.name, nowMs: this.#settings.now() })
    size.observe(chunk.events.length, chunk.bytes)
    this.#given(chunk.through)
    return chunk
  }

  onWake(listener: () => void): Unsubscribe {
    return this.#onWake(listener)
  }

  async retain(request: RetainRequest): Promise<void> {
    await retainLog(this.#session, this.#settings.names, { ...request, place: toPlace(request.position), nowMs: this.#settings.now(), verified: this.#verified.seq })
  }

  async release(consumer: string, options: AbortOptions = {}): Promise<void> {
    await releaseConsumer(this.#session, this.#settings.names, consumer, options)
  }

  async retained(consumer: string, options: AbortOptions = {}): Promise<LogPosition | undefined> {
    const head = await this.#head(options)
    const found = (await readConsumers(this.#session, this.#settings.names, options)).find(({ name }) => name === consumer)
    return found === undefined ? undefined : toPosition({ epoch: head.epoch, seq: found.seq, digest: found.digest === '' ? undefined : found.digest, unit: undefined })
  }

  purge(options: AbortOptions = {}): Promise<boolean> {
    const limit: RetentionLimit = this.#settings.retention
    return purgeLog(this.#session, this.#settings.names, limit, options)
  }

  async lag(position: LogPosition, options: AbortOptions = {}): Promise<ChangeLag> {
    const head = await this.#head(options)
    return { events: Math.max(0, head.seq - toPlace(position).seq), bytes: undefined, ms: undefined }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return
    this.#isDisposed = true
    await this.#session[Symbol.asyncDispose]()
  }

  /** A read of a table by the layout that it has at that moment. */
  async #readTable(request: ReadChunkRequest, rows: number): Promise<{
    readonly head: LogHead; readonly rows: readonly RowValues[]; readonly reading: ReadingOptions; readonly layout: ReturnType<CapturedTables['find']>
  }> {
    for (;;) {
      const { schemaVersion } = await this.#head(request)
      const layout = this.#tables.find(request.table)
      const after = resumeAfter(request.after, schemaVersion, layout)
      const found = await this.#view.read((form) => chunkQuery({ layout, after, rows }, form), request)
      this.#boundaries.add(found.head.seq)
      // Read under another schema than looked at: once more.
      if (found.head.schemaVersion === schemaVersion) return { ...found, layout }
    }
  }

  /** A view that the triggers and layouts fit; brings them in line first where the schema has changed. */
  async #read(query: Parameters<LogView['read']>[0], options: AbortOptions): ReturnType<LogView['read']> {
    for (;;) {
      const found = await this.#view.read(query, options)
      if (this.#isCurrent(found.head)) return found
      await this.#sync(options)
    }
  }

  async #head(options: AbortOptions): Promise<LogHead> {
    for (;;) {
      const head = await this.#view.head(options)
      if (this.#isCurrent(head)) return head
      await this.#sync(options)
    }
  }

  #isCurrent(head: LogHead): boolean {
    if (head.schemaVersion !== this.#verified.schemaVersion) return false
    this.#verified = { schemaVersion: head.schemaVersion, seq: head.seq }
    this.#boundaries.add(head.seq)
    return true
  }

  async #sync(options: AbortOptions): Promise<void> {
    const { names, tables, epoch } = this.#settings
    const sync = (): Promise<number | undefined> => this.#session.write(async (transaction) => {
      const request = { tables, isRunning: this.#verified.schemaVersion !== -1, epoch: epoch(), verified: this.#verified.seq }
      const { unknown, schemaVersion } = await syncCapture(transaction, this.#settings, request)
      for (const layout of unknown) await logAnew(transaction, names, layout)
      return schemaVersion
    }, options)
    // The version that its own changes lead to is found, and proved to fit, by doing it once more.
    let schemaVersion = await sync()
    while (schemaVersion === undefined) schemaVersion = await sync()
    await this.#tables.load(options)
    this.#view.configure({ width: this.#tables.width, bigints: this.#tables.needsBigints })
    this.#verified = { schemaVersion, seq: this.#verified.seq }
  }

  #isTrusted(position: LogPosition): boolean {
    return this.#settings.trustsOwnPositions && this.#known.has(keyOf(position))
  }

  #given(position: LogPosition): LogPosition {
    const oldest = this.#known.values().next().value
    if (this.#known.size >= MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest)
    this.#known.add(keyOf(position))
    return position
  }

  #pageSize(of: string, limit: ReadChangesRequest['limit']): PageSize {
    const known = this.#pageSizes.get(of)
    if (known !== undefined) return known
    const size = new PageSize({ maxRows: limit.events, maxBytes: limit.bytes })
    this.#pageSizes.set(of, size)
    return size
  }
}

function keyOf({ sequence, detail }: LogPosition): string {
  return `${sequence} ${detail}`
}

function atEnd(head: LogHead): LogPlace {
  return { epoch: head.epoch, seq: head.seq, digest: head.digest, unit: undefined }
}

/** Errors: `CHANGE_GAP`. */
function requireReachable(place: LogPlace, head: LogHead): void {
  if (place.epoch !== head.epoch) throw gap('The change log is another one: it was made anew, or the database was replaced.', 'source-changed')
  if (place.seq > head.seq) throw gap('The change log ends before the position: the database was restored from a backup.', 'source-changed')
  if (place.seq < head.purged) throw gap('Changes behind the position have been purged.', 'log-truncated')
}

function gap(message: string, detail: string): TidemarkError {
  return new TidemarkError('CHANGE_GAP', message, { detail })
}
