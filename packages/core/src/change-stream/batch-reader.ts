import type { SchemaChange } from '../change/change-batch.ts'
import type { CheckpointState, SnapshotProgress } from '../change/change-checkpoint.ts'
import type { ChangeEvent, ChangeOp } from '../change/change-event.ts'
import type { LogMessage, MessageSelection } from '../change/log-message.ts'
import type { LogPosition } from '../change/log-position.ts'
import type { ChangeConnection, ChangeSlice, SliceLimit, SnapshotChunk } from '../dialect/change-source.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import type { ChangeFilter, ChangeFilters } from '../feed/change-filter.ts'
import { hasReached } from '../feed/compare-positions.ts'
import type { FeedCursor } from '../feed/feed-cursor.ts'
import type { Feed } from '../feed/feed.ts'
import { mergeMessages } from '../feed/merge-messages.ts'
import { afterChunk, beginTable, nextChunk, SNAPSHOT_BEGIN, tableNames, visibleTables, type NextChunk } from '../feed/snapshot-progress.ts'
import { abortable } from '../util/abortable.ts'
import { PageSize } from '../util/page-size.ts'

export interface SnapshotNotice {
  readonly phase: 'started' | 'progress' | 'table-completed' | 'completed'
  readonly table: string | undefined
  readonly rows: number
}

export interface BatchReaderOptions {
  readonly feed: Feed
  readonly cursor: FeedCursor
  readonly connection: ChangeConnection
  readonly filters: ChangeFilters
  readonly source: string
  /** As `tableNames` has them; `undefined`: all there are, also later ones. */
  readonly tables: readonly string[] | undefined
  readonly ops: readonly ChangeOp[] | undefined
  readonly messages: MessageSelection | undefined
  readonly limit: SliceLimit
  readonly progress: SnapshotProgress | null
  /** As the checkpoint has it. */
  readonly read: readonly string[] | undefined
  /** Whether the first delivery is an empty one that says where the subscriber begins. */
  readonly announces: boolean
  readonly onSnapshot: (notice: SnapshotNotice) => void
}

/** What a subscriber gets, before it is a batch. */
export interface Delivery {
  readonly events: readonly (ChangeEvent | LogMessage)[]
  readonly schemas: readonly SchemaChange[]
  readonly begin: boolean
  /** Where to go on after it; `undefined` within a transaction. */
  readonly state: CheckpointState | undefined
  /** Whether it is only a state to be made durable before what comes next. */
  readonly isMark: boolean
}

interface PendingChunk {
  readonly wanted: NextChunk
  readonly chunk: SnapshotChunk
}

/**
 * Joins the log and the snapshot for one subscriber: the log up to the moment a chunk shows, the chunk's rows, and so on. Deliveries
 * are taken one at a time; asking for the next acknowledges the one before.
 */
export class BatchReader {
  readonly #options: BatchReaderOptions
  readonly #pages: PageSize
  #progress: SnapshotProgress | null
  /** Tables that a complete snapshot has read. */
  #read: readonly string[] | undefined
  #pending: PendingChunk | undefined
  #tables: readonly string[] | undefined
  /** Where it would go on now. */
  #reached: LogPosition
  #taken: Delivery | undefined
  /** Whether a part of a transaction has been delivered whose end has not. */
  #isOpen = false
  #announces: boolean
  #rows = 0
  /** The filter for changes, for as long as the progress stays. */
  #filter: { readonly progress: SnapshotProgress | null; readonly filter: ChangeFilter } | undefined
  readonly #schemaFilter: ChangeFilter

  constructor(options: BatchReaderOptions) {
    this.#options = options
    this.#progress = options.progress
    this.#read = options.read
    this.#reached = options.cursor.position
    this.#announces = options.announces
    this.#schemaFilter = options.filters.of({ tables: options.tables })
    this.#pages = new PageSize({ maxRows: options.limit.events, maxBytes: options.limit.bytes })
  }

  get isSnapshot(): boolean {
    return this.#progress !== null
  }

  /** Everything up to here is acknowledged, or was nothing for this subscriber. */
  get state(): CheckpointState {
    const isIdle = this.#taken === undefined && !this.#isOpen && this.#pending === undefined
    const position = (isIdle ? this.#options.cursor.restingAt : undefined) ?? this.#reached
    return this.#stateAt(position)
  }

  #stateAt(position: LogPosition): CheckpointState {
    return { source: this.#options.source, position, snapshot: this.#progress, read: this.#read }
  }

  /** The delivery in hand is done with. */
  acknowledge(): void {
    const state = this.#taken?.state
    this.#taken = undefined
    if (state === undefined) return
    const isCompleted = this.#progress !== null && state.snapshot === null
    this.#reached = state.position
    this.#progress = state.snapshot
    this.#read = state.read
    if (isCompleted) this.#notice('completed')
  }

  /** Forgets what it had read and goes on from here with a new snapshot. */
  restart(position: LogPosition): void {
    this.#options.cursor.moveTo(position)
    this.#taken = undefined
    this.#pending = undefined
    this.#isOpen = false
    this.#reached = position
    this.#progress = SNAPSHOT_BEGIN
    this.#read = undefined
    this.#rows = 0
  }

  /** Errors: as the cursor's and the chunk's. */
  async next(signal: AbortSignal): Promise<Delivery> {
    this.acknowledge()
    if (this.#announces) return this.#announcement()
    for (;;) {
      const delivery = this.#pending !== undefined || (this.#progress !== null && !this.#isOpen)
        ? await this.#nextOfSnapshot(signal)
        : this.#ofLog(await this.#options.cursor.next({ signal }))
      if (delivery === undefined) continue
      this.#taken = delivery
      return delivery
    }
  }

  #announcement(): Delivery {
    this.#announces = false
    const delivery: Delivery = { events: [], schemas: [], begin: true, state: this.#stateAt(this.#reached), isMark: true }
    this.#taken = delivery
    return delivery
  }

  async #nextOfSnapshot(signal: AbortSignal): Promise<Delivery | undefined> {
    if (this.#pending === undefined) {
      const wanted = await this.#wanted(signal)
      if (wanted === undefined) return this.#complete(this.#progress ?? SNAPSHOT_BEGIN)
      this.#pending = await this.#chunk(wanted, signal)
      if (this.#pending === undefined) return undefined
    }
    const { wanted, chunk } = this.#pending
    const slice = await this.#options.cursor.next({ through: chunk.through, signal })
    if (slice !== undefined) return this.#ofSlice(slice)
    const progress = this.#progress ?? SNAPSHOT_BEGIN
    return progress.current?.table === wanted.table ? this.#ofChunk(this.#pending) : this.#mark(chunk.through, beginTable(progress, wanted.table))
  }

  /**
   * Comes before changes of more tables are delivered: before a table's first rows, and when all are read. If rows or changes were
   * delivered and that were forgotten in a crash, a row of them that is deleted before they are read again would never be seen to go:
   * its table would count as not begun.
   */
  #mark(position: LogPosition, snapshot: SnapshotProgress): Delivery {
    return { events: [], schemas: [], begin: true, state: { source: this.#options.source, position, snapshot }, isMark: true }
  }

  #complete({ done }: SnapshotProgress): Delivery {
    const state = { source: this.#options.source, position: this.#reached, snapshot: null, read: done }
    return { events: [], schemas: [], begin: true, state, isMark: true }
  }

  /** What to read next; `undefined` when the snapshot is complete. */
  async #wanted(signal: AbortSignal): Promise<NextChunk | undefined> {
    const progress = this.#progress ?? SNAPSHOT_BEGIN
    if (progress === SNAPSHOT_BEGIN) this.#notice('started')
    return nextChunk(progress, await this.#tablesFor(progress, signal))
  }

  /** The rows; `undefined` when the table is gone. */
  async #chunk(wanted: NextChunk, signal: AbortSignal): Promise<PendingChunk | undefined> {
    try {
      const chunk = await this.#options.feed.retrying(signal, () => this.#readRows(wanted, signal))
      this.#pages.observe(chunk.events.length, chunk.bytes)
      return { wanted, chunk }
    } catch (error) {
      if (!(error instanceof TidemarkError) || error.code !== 'TABLE_UNKNOWN') throw error
      if ((await this.#listTables(signal)).includes(wanted.table)) throw error
      return undefined
    }
  }

  async #readRows(wanted: NextChunk, signal: AbortSignal): Promise<SnapshotChunk> {
    const { connection, limit } = this.#options
    const reached = this.#shown
    if (connection.readChunk === undefined) throw new TidemarkError('NOT_SUPPORTED', 'The source can\'t read snapshots.')
    const request = { ...wanted, reached, limit: { events: this.#pages.rows, bytes: limit.bytes }, signal }
    const chunk = await abortable(connection.readChunk(request), signal)
    if (hasReached(chunk.through, reached)) return chunk
    throw new TidemarkError('SOURCE_CORRUPT_RESULT', `A chunk of the table "${wanted.table}" shows an older state than the log that was read before it.`)
  }

  /**
   * What rows and changes have shown, which the next rows must not be older than. Not where the log has gone on without a change: a source would need another
   * snapshot for each chunk of a database at work, and a table that can be read under one only would never end.
   */
  get #shown(): LogPosition {
    const { taken } = this.#options.cursor
    return hasReached(this.#reached, taken) ? this.#reached : taken
  }

  /**
   * Asked for again at the beginning of each table, and so also before the snapshot is called complete: a table that was made meanwhile
   * is one to read.
   */
  async #tablesFor({ current }: SnapshotProgress, signal: AbortSignal): Promise<readonly string[]> {
    return this.#tables !== undefined && current !== null ? this.#tables : this.#listTables(signal)
  }

  async #listTables(signal: AbortSignal): Promise<readonly string[]> {
    const { feed, connection, tables } = this.#options
    const all = tableNames(await feed.retrying(signal, () => abortable(connection.tables({ signal }), signal)))
    this.#tables = tables === undefined ? all : all.filter((name) => tables.includes(name))
    return this.#tables
  }

  #ofChunk({ wanted, chunk }: PendingChunk): Delivery | undefined {
    this.#pending = undefined
    const snapshot = afterChunk(this.#progress ?? SNAPSHOT_BEGIN, wanted, chunk)
    const state = { source: this.#options.source, position: chunk.through, snapshot }
    this.#rows += chunk.events.length
    this.#notice(chunk.isLast ? 'table-completed' : 'progress', wanted.table)
    if (chunk.events.length > 0) return { events: chunk.events, schemas: [], begin: true, state, isMark: false }
    this.#reached = chunk.through
    this.#progress = snapshot
    return undefined
  }

  /** A slice, and with it what else has been read meanwhile: a slow handler gets few large batches and not many small ones. */
  #ofLog(slice: ChangeSlice | undefined): Delivery | undefined {
    const first = slice === undefined ? undefined : this.#ofSlice(slice)
    if (slice === undefined || first?.state === undefined) return first
    const { cursor, limit } = this.#options
    const parts = [first.events]
    const rest = { bytes: limit.bytes - slice.bytes, events: limit.events - slice.events.length }
    let { position } = first.state
    for (let next = cursor.takeReady(rest); next !== undefined; next = cursor.takeReady(rest)) {
      parts.push(this.#pick(next))
      rest.bytes -= next.bytes
      rest.events -= next.events.length
      position = next.position
    }
    return parts.length === 1 ? first : { ...first, events: parts.flat(), state: { ...first.state, position } }
  }

  /** `undefined` when there is nothing in it for this subscriber. */
  #ofSlice(slice: ChangeSlice): Delivery | undefined {
    const events = this.#pick(slice)
    const schemas = this.#schemaFilter.pickSchemas(slice.schemas)
    const begin = !this.#isOpen
    const isNothing = events.length === 0 && schemas.length === 0
    if (isNothing && !(slice.commit && this.#isOpen)) {
      if (slice.commit) this.#reached = slice.position
      return undefined
    }
    this.#isOpen = !slice.commit
    const state = slice.commit ? this.#stateAt(slice.position) : undefined
    return { events, schemas, begin, state, isMark: false }
  }

  #pick({ events, messages }: ChangeSlice): Delivery['events'] {
    return mergeMessages(this.#changeFilter().pick(events), messages, this.#options.messages)
  }

  #changeFilter(): ChangeFilter {
    if (this.#filter === undefined || this.#filter.progress !== this.#progress) {
      const filter = this.#options.filters.of({ tables: this.#visible(), ops: this.#options.ops })
      this.#filter = { progress: this.#progress, filter }
    }
    return this.#filter.filter
  }

  /** Tables whose changes are delivered now. */
  #visible(): readonly string[] | undefined {
    const { tables } = this.#options
    if (this.#progress === null) return tables
    const visible = visibleTables(this.#progress)
    return tables === undefined ? visible : visible.filter((name) => tables.includes(name))
  }

  #notice(phase: SnapshotNotice['phase'], table?: string): void {
    this.#options.onSnapshot({ phase, table, rows: this.#rows })
  }
}
