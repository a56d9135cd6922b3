import { printPosition, TidemarkError, type AbortOptions, type ChangeEvent, type ReadChunkRequest, type SnapshotChunk } from '@tidemark/core/adapter'
import type { TextRow } from '../check-result.ts'
import { compileCodec, type ColumnCodec } from '../column-codec.ts'
import { compareRow, cursorColumns, orderBy, TABLE_ALIAS } from '../cursor-columns.ts'
import type { PostgresSession } from '../postgres-session.ts'
import { quoteIdentifier, quoteTable } from '../quote.ts'
import { selectExpression } from '../select-expression.ts'
import { snapshotEvent } from './change-maker.ts'
import { keyDigest } from './key-digest.ts'
import { toPlace, toPosition } from './log-place.ts'
import type { Lsn } from './lsn.ts'
import { describePublished, type PublishedTable } from './published-table.ts'
import { SnapshotSession } from './snapshot-session.ts'
import type { StreamSettings } from './stream-settings.ts'
import type { StreamTables } from './stream-tables.ts'

/** An event without its values. */
const EVENT_BYTES = 600
/** How long a snapshot waits for the next table. */
const IDLE_MS = 1_000

export interface SnapshotChunksOptions {
  readonly session: PostgresSession
  readonly settings: StreamSettings
  readonly tables: StreamTables
  readonly epoch: () => string
}

/** What a table is read with. */
interface TableReading {
  readonly published: PublishedTable
  readonly names: readonly string[]
  readonly codecs: readonly ColumnCodec[]
  readonly select: string
}

/** Where a table without a key stands: how many rows of it one cursor of a session has given. Of no use to another session. */
interface Counted {
  readonly session: string
  readonly cursor: number
  readonly rows: number
}

/** One reading of a table without a key. */
interface RowCursor {
  readonly id: number
  readonly table: string
  rows: number
}

/**
 * Rows of tables, chunk after chunk under one snapshot, each exact at that place of the log. A snapshot is given up after a while, and
 * with it what it holds back: the log is not delivered behind it, and the server can't clean up. The next chunk then has a later one.
 */
export class SnapshotChunks {
  readonly #options: SnapshotChunksOptions
  #current: SnapshotSession | undefined
  #openedAtMs = 0
  #readings = new Map<string, TableReading>()
  /** Those that are open: of several subscribers each has its own. */
  readonly #cursors = new Map<number, RowCursor>()
  #cursorCount = 0
  #turn: Promise<unknown> = Promise.resolve()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(options: SnapshotChunksOptions) {
    this.#options = options
  }

  /** One at a time: several subscribers may read. Errors: `TABLE_UNKNOWN`, `NOT_SUPPORTED`, `STATE_CORRUPT`, `SOURCE_*`. */
  read(request: ReadChunkRequest): Promise<SnapshotChunk> {
    const chunk = this.#turn.then(() => this.#read(request))
    this.#turn = chunk.catch(() => undefined)
    return chunk
  }

  /** The last place that a chunk has shown. */
  get lsn(): Lsn {
    return this.#current?.lsn ?? 0n
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#current?.close()
    this.#current = undefined
    this.#cursors.clear()
  }

  async #read(request: ReadChunkRequest): Promise<SnapshotChunk> {
    const session = await this.#session(request)
    const reading = await this.#reading(request.table, request)
    const chunk = reading.published.key.length > 0 ? await this.#readByKey(session, reading, request) : await this.#readByCount(session, reading, request)
    this.#closeLater(chunk.isLast)
    return chunk
  }

  /** Whoever reads on does so at once; nobody says when the last table was the last. */
  #closeLater(isTableDone: boolean): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.close(), isTableDone ? IDLE_MS : this.#options.settings.snapshotAgeMs)
    this.#timer.unref?.()
  }

  async #session(request: ReadChunkRequest): Promise<SnapshotSession> {
    const { session, settings } = this.#options
    const current = this.#current
    const isYoung = settings.now() - this.#openedAtMs < settings.snapshotAgeMs || this.#isCounting(request)
    // Who says nothing of its place wants rows as they are now, but for the rest of a table that can be read in one snapshot only.
    const isNewEnough = current !== undefined && (request.reached === undefined ? this.#isCounting(request) : current.lsn >= toPlace(request.reached).lsn)
    if (current?.isOpen === true && isYoung && isNewEnough) {
      clearTimeout(this.#timer)
      return current
    }
    this.close()
    this.#readings = new Map()
    this.#current = await SnapshotSession.open(session, { signal: request.signal, waitMs: settings.snapshotWaitMs })
    this.#openedAtMs = settings.now()
    return this.#current
  }

  /** A table without a key would have to begin anew under another snapshot. */
  #isCounting(request: ReadChunkRequest): boolean {
    return this.#cursorOf(request) !== undefined
  }

  /** The cursor that stands where the reader does. */
  #cursorOf({ table, after }: ReadChunkRequest): RowCursor | undefined {
    const at = after === undefined || this.#cursors.size === 0 ? undefined : decodeCount(after)
    const cursor = at === undefined || at.session !== this.#current?.id ? undefined : this.#cursors.get(at.cursor)
    return cursor?.table === table && cursor.rows === at?.rows ? cursor : undefined
  }

  async #reading(table: string, options: AbortOptions): Promise<TableReading> {
    const known = this.#readings.get(table)
    if (known !== undefined) return known
    const ref = this.#options.tables.find(table)
    if (ref === undefined) throw new TidemarkError('TABLE_UNKNOWN', `The stream has no table '${table}'.`)
    const published = await describePublished(this.#options.session, ref, options).catch((error: unknown) => {
      if (error instanceof TidemarkError && error.code === 'TABLE_UNKNOWN') this.#options.tables.remove(ref)
      throw error
    })
    this.#options.tables.refresh(published)
    const columns = published.schema.columns.filter(({ name }) => !published.generated.includes(name))
    const reading = { published, names: columns.map(({ name }) => name), codecs: columns.map(compileCodec), select: columns.map(selectExpression).join(', ') }
    this.#readings.set(table, reading)
    return reading
  }

  async #readByKey(session: SnapshotSession, reading: TableReading, request: ReadChunkRequest): Promise<SnapshotChunk> {
    const { schema, key } = reading.published
    const { order } = cursorColumns(schema, key, undefined)
    const after = request.after === undefined ? [] : decodeKey(request.after, key.length)
    const selected = [reading.select, ...order.map(({ name }) => quoteIdentifier(name))].filter((part) => part !== '').join(', ')
    const where = after.length === 0 ? '' : `WHERE ${compareRow(order, '>', 1)} `
    const text = `SELECT ${selected} FROM ${quoteTable(schema.ref)} AS ${TABLE_ALIAS} ${where}ORDER BY ${orderBy(order)} LIMIT ${limitOf(request)}`
    const rows = await session.query(text, after, request)
    const { used, bytes } = fitting(rows, request.limit.bytes)
    const keys = used.map((row) => row.slice(reading.names.length))
    const isLast = rows.length < limitOf(request) && used.length === rows.length
    const events = this.#events(session, reading, { rows: used, idOf: (index) => keyDigest(keys[index] ?? []) })
    return { events, bytes, isLast, through: this.#position(session), last: keys.length === 0 ? undefined : JSON.stringify(keys.at(-1)) }
  }

  async #readByCount(session: SnapshotSession, reading: TableReading, request: ReadChunkRequest): Promise<SnapshotChunk> {
    const cursor = this.#cursorOf(request) ?? await this.#declare(session, reading, request)
    const rows = await session.query(`FETCH ${limitOf(request)} FROM ${nameOf(cursor)}`, [], request)
    const before = cursor.rows
    cursor.rows += rows.length
    const isLast = rows.length < limitOf(request)
    if (isLast) await this.#end(session, cursor, request)
    const events = this.#events(session, reading, { rows, idOf: (index) => String(before + index) })
    const last: Counted = { session: session.id, cursor: cursor.id, rows: cursor.rows }
    return { events, bytes: fitting(rows, Infinity).bytes, isLast, through: this.#position(session), last: rows.length === 0 ? undefined : JSON.stringify(last) }
  }

  async #declare(session: SnapshotSession, reading: TableReading, request: ReadChunkRequest): Promise<RowCursor> {
    const cursor = { id: this.#cursorCount, table: request.table, rows: 0 }
    this.#cursorCount += 1
    const select = reading.select === '' ? 'NULL' : reading.select
    await session.run(`DECLARE ${nameOf(cursor)} NO SCROLL CURSOR FOR SELECT ${select} FROM ${quoteTable(reading.published.schema.ref)}`, request)
    this.#cursors.set(cursor.id, cursor)
    return cursor
  }

  async #end(session: SnapshotSession, cursor: RowCursor, request: ReadChunkRequest): Promise<void> {
    this.#cursors.delete(cursor.id)
    await session.run(`CLOSE ${nameOf(cursor)}`, request)
  }

  #events(session: SnapshotSession, reading: TableReading, { rows, idOf }: { readonly rows: readonly TextRow[]; readonly idOf: (index: number) => string }): ChangeEvent[] {
    const { settings, tables } = this.#options
    const { ref } = reading.published.schema
    const table = {
      schema: ref.schema ?? 'public', table: ref.name, names: reading.names, version: tables.versionOf(ref),
      key: reading.published.key.map((name) => reading.names.indexOf(name)).filter((place) => place !== -1),
    }
    const position = printPosition(this.#position(session))
    const id = `${position}:${table.schema}.${table.table}`
    const receivedAtMs = settings.now()
    return rows.map((row, index) => snapshotEvent(table, {
      source: settings.name, position, receivedAtMs,
      tx: { id, sequence: index, last: index === rows.length - 1, committedAtMs: undefined, origin: undefined },
    }, { row: decodeRow(reading.codecs, row), id: `${settings.name}:${id}:${idOf(index)}` }))
  }

  #position(session: SnapshotSession): SnapshotChunk['through'] {
    return toPosition({ epoch: this.#options.epoch(), lsn: session.lsn, delivered: undefined })
  }
}

function decodeRow(codecs: readonly ColumnCodec[], row: TextRow): ReturnType<ColumnCodec>[] {
  return codecs.map((codec, place) => {
    const text = row[place]
    return text === null || text === undefined ? null : codec(text)
  })
}

function nameOf({ id }: RowCursor): string {
  return `tidemark_rows_${id}`
}

function limitOf({ limit }: ReadChunkRequest): number {
  return Math.max(1, Math.trunc(limit.events))
}

function fitting(rows: readonly TextRow[], maxBytes: number): { readonly used: readonly TextRow[]; readonly bytes: number } {
  let bytes = 0
  let count = 0
  for (const row of rows) {
    if (count > 0 && bytes >= maxBytes) break
    for (const cell of row) bytes += cell?.length ?? 0
    bytes += EVENT_BYTES
    count += 1
  }
  return { used: count === rows.length ? rows : rows.slice(0, count), bytes }
}

function decodeKey(text: string, width: number): readonly string[] {
  const key = parse(text)
  if (Array.isArray(key) && key.length === width && key.every((part) => typeof part === 'string')) return key
  throw new TidemarkError('STATE_CORRUPT', 'The checkpoint names a row by another key than the table has.')
}

function decodeCount(text: string): Counted | undefined {
  const count = parse(text)
  if (typeof count !== 'object' || count === null || !('session' in count) || !('cursor' in count) || !('rows' in count)) return undefined
  const { session, cursor, rows } = count
  return typeof session === 'string' && typeof cursor === 'number' && typeof rows === 'number' ? { session, cursor, rows } : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
