import type { DatabaseSync, Session } from 'node:sqlite'
import type { ChangeTable, SchemaChange } from '@tidemark/core/adapter'
import type { GapReason } from './gap.ts'
import { RecordedChanges, TooLarge, type FindImages } from './recorded-changes.ts'
import type { RowImages } from './row-images.ts'
import type { TextReading } from './row-reader.ts'
import { oneRow, prepareRaw } from './statements.ts'
import { findIn, TrackedTables, type SchemaLook } from './tracked-tables.ts'

/** What was written since the last adoption. To be adopted once it is known to be committed. */
export interface Recording {
  readonly changes: RecordedChanges | undefined
  readonly schemas: readonly SchemaChange[]
  /** Something could not be recorded. */
  readonly gap: GapReason | undefined
  readonly look: SchemaLook | undefined
  readonly mark: DatabaseMark
}

/** Three counters that tell whether anything happened to the database. */
export interface DatabaseMark {
  /** Moves with commits of other connections. */
  readonly dataVersion: bigint
  readonly schemaVersion: bigint
  /** Rows that this connection has written. */
  readonly totalChanges: bigint
}

export interface SessionRecorderOptions {
  readonly tables: readonly string[]
  readonly text: TextReading
  /** A transaction that takes more can't be buffered. */
  readonly maxBytes: number
}

/**
 * Up to here each table has a session of its own, so that other tables cost nothing. Beyond, one session for all is cheaper: every
 * session looks at every row (20 tables, 1,000 rows each transaction: 531,000 rows/s against 638,000; one row: 110 us against 55).
 */
const MAX_TABLE_SESSIONS = 4

/** Records what one connection writes to the captured tables. All methods are synchronous: nobody else writes in between. */
export class SessionRecorder {
  readonly #database: DatabaseSync
  readonly #options: SessionRecorderOptions
  readonly #tables: TrackedTables
  /** Three plain statements take half as long as one over the pragmas' tables. */
  readonly #counters: readonly ReturnType<typeof prepareRaw>[]
  /** Held here as long as they are open: node:sqlite must not collect one that is in use. */
  #sessions: readonly Session[] = []
  #mark: DatabaseMark

  /** Outside of a transaction. Errors: `TABLE_UNKNOWN`, `TABLE_NOT_CAPTURABLE`. */
  constructor(database: DatabaseSync, options: SessionRecorderOptions) {
    this.#database = database
    this.#options = options
    this.#counters = ['PRAGMA data_version', 'PRAGMA schema_version', 'SELECT total_changes()'].map((sql) => prepareRaw(database, sql))
    this.#tables = new TrackedTables(database, options.tables, options.text)
    this.#tables.mark()
    this.#mark = this.now()
    this.#renew()
  }

  get tables(): readonly ChangeTable[] {
    return this.#tables.tables
  }

  /** Up to where everything is recorded and adopted. */
  get mark(): DatabaseMark {
    return this.#mark
  }

  images(table: string): RowImages | undefined {
    return this.#tables.find(table)
  }

  version(table: string): number {
    return this.#tables.version(table)
  }

  isUntouched(): boolean {
    return isSameMark(this.now(), this.#mark)
  }

  /** `undefined` where nothing happened. Never throws for what it finds, only where the database can't be read. */
  record(): Recording | undefined {
    const mark = this.now()
    if (isSameMark(mark, this.#mark)) return undefined
    const look = mark.schemaVersion === this.#mark.schemaVersion ? undefined : this.#tables.look()
    const found = { changes: undefined, schemas: look?.schemas ?? [], gap: undefined, look, mark }
    // A session compares what it recorded with the rows of now; with a second writer it would say what nobody did.
    if (mark.dataVersion !== this.#mark.dataVersion) return { ...found, gap: 'foreign-write' }
    if (look?.isReplaced === true) return { ...found, gap: 'table-replaced' }
    if (mark.totalChanges === this.#mark.totalChanges) return found
    try {
      return { ...found, changes: this.#changes(look) }
    } catch (error) {
      return { ...found, gap: error instanceof TooLarge ? 'overflow' : 'capture-failed' }
    }
  }

  adopt({ mark, look }: Recording): void {
    if (mark.totalChanges !== this.#mark.totalChanges || mark.dataVersion !== this.#mark.dataVersion || look !== undefined) this.#renew()
    this.#mark = mark
    if (look !== undefined) this.#tables.adopt(look)
  }

  /** After a rollback: what was recorded is void. Other counters stay, so that a foreign write in between is still noticed. */
  discard(): void {
    this.#renew()
    this.#mark = { ...this.#mark, totalChanges: this.now().totalChanges }
    // One set in the transaction went with it.
    this.#tables.mark()
  }

  now(): DatabaseMark {
    const [dataVersion = 0n, schemaVersion = 0n, totalChanges = 0n] = this.#counters.map((counter) => BigInt(Number(oneRow(counter)?.[0])))
    return { dataVersion, schemaVersion, totalChanges }
  }

  /** While the database is still open, or SQLite frees what the sessions point to. */
  close(): void {
    this.#closeSessions()
    this.#tables.close()
  }

  #changes(look: SchemaLook | undefined): RecordedChanges | undefined {
    const changesets = [...this.#changesets(look)].filter((changeset) => changeset.byteLength > 0)
    if (changesets.length === 0) return undefined
    // Tables change later; what is recorded is read as it was recorded.
    const tracked = look?.tracked ?? this.#tables.tracked
    const find: FindImages = (table) => {
      if (look?.reshaped.has(table.toLowerCase()) === true) throw new RangeError('The table was recorded under other columns.')
      return findIn(tracked, table)
    }
    const changes = new RecordedChanges(changesets, find, this.#options.maxBytes)
    return changes.count === 0 ? undefined : changes
  }

  *#changesets(look: SchemaLook | undefined): Iterable<Uint8Array> {
    for (const [index, session] of this.#sessions.entries()) {
      const table = this.#sessions.length === this.#options.tables.length ? this.#options.tables[index] : undefined
      // A table that is gone has no changes any more, and its session would only fail.
      if (look !== undefined && table !== undefined && findIn(look.tracked, table) === undefined) continue
      yield session.changeset()
    }
  }

  #renew(): void {
    this.#closeSessions()
    const { tables } = this.#options
    this.#sessions = tables.length > MAX_TABLE_SESSIONS ? [this.#database.createSession({ db: 'main' })] : tables.map((table) => this.#database.createSession({ db: 'main', table }))
  }

  #closeSessions(): void {
    const sessions = this.#sessions
    this.#sessions = []
    if (this.#database.isOpen) for (const session of sessions) session.close()
  }
}

export function isSameMark(one: DatabaseMark, other: DatabaseMark): boolean {
  return one.totalChanges === other.totalChanges && one.dataVersion === other.dataVersion && one.schemaVersion === other.schemaVersion
}
