import type { DatabaseSync, Session } from 'node:sqlite'
import { TidemarkError, type ChangeTable, type SchemaChange } from '@tidemark/core/adapter'
import { corrupt } from './changeset-bytes.ts'
import { decodeChangeset } from './changeset-decoder.ts'
import { DraftList } from './draft-list.ts'
import type { GapReason } from './gap.ts'
import type { RowDraft } from './row-draft.ts'
import type { RowImages } from './row-images.ts'
import type { TextReading } from './row-reader.ts'
import { oneRow, prepareRaw } from './statements.ts'
import { findIn, TrackedTables, type SchemaLook } from './tracked-tables.ts'

/** What was written since the last adoption. To be adopted once it is known to be committed. */
export interface Recording {
  readonly drafts: readonly RowDraft[]
  readonly schemas: readonly SchemaChange[]
  readonly bytes: number
  /** Something could not be recorded. */
  readonly gap: GapReason | undefined
  /** Something can't be given as a value; it stands in the place of the changes. */
  readonly error: TidemarkError | undefined
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
  readonly #readMark: ReturnType<typeof prepareRaw>
  /** Held here as long as they are open: node:sqlite must not collect one that is in use. */
  #sessions: readonly Session[] = []
  #mark: DatabaseMark

  /** Outside of a transaction. Errors: `TABLE_UNKNOWN`, `TABLE_NOT_CAPTURABLE`. */
  constructor(database: DatabaseSync, options: SessionRecorderOptions) {
    this.#database = database
    this.#options = options
    this.#readMark = prepareRaw(database, MARK)
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

  /** Never throws for what it finds, only where the database can't be read. */
  record(): Recording {
    const mark = this.now()
    const look = mark.schemaVersion === this.#mark.schemaVersion ? undefined : this.#tables.look()
    const found = { drafts: [], bytes: 0, schemas: look?.schemas ?? [], gap: undefined, error: undefined, look, mark }
    // A session compares what it recorded with the rows of now; with a second writer it would say what nobody did.
    if (mark.dataVersion !== this.#mark.dataVersion) return { ...found, gap: 'foreign-write' }
    if (look?.isReplaced === true) return { ...found, gap: 'table-replaced' }
    if (mark.totalChanges === this.#mark.totalChanges) return found
    const list = new DraftList(this.#options.maxBytes)
    try {
      for (const changeset of this.#changesets(look)) this.#decode(changeset, look, list)
    } catch (error) {
      if (error instanceof TidemarkError && error.code === 'VALUE_UNREPRESENTABLE') return { ...found, error }
      return { ...found, gap: list.isFull ? 'overflow' : 'capture-failed' }
    }
    return { ...found, drafts: list.ordered(), bytes: list.bytes }
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
    const [totalChanges, dataVersion, schemaVersion] = oneRow(this.#readMark) ?? []
    return { totalChanges: BigInt(Number(totalChanges)), dataVersion: BigInt(Number(dataVersion)), schemaVersion: BigInt(Number(schemaVersion)) }
  }

  /** While the database is still open, or SQLite frees what the sessions point to. */
  close(): void {
    this.#closeSessions()
    this.#tables.close()
  }

  *#changesets(look: SchemaLook | undefined): Iterable<Uint8Array> {
    for (const [index, session] of this.#sessions.entries()) {
      const table = this.#sessions.length === this.#options.tables.length ? this.#options.tables[index] : undefined
      // A table that is gone has no changes any more, and its session would only fail.
      if (look !== undefined && table !== undefined && findIn(look.tracked, table) === undefined) continue
      yield session.changeset()
    }
  }

  #decode(changeset: Uint8Array, look: SchemaLook | undefined, list: DraftList): void {
    let images: RowImages | undefined
    decodeChangeset(changeset, {
      onTable: ({ name, keyParts }) => {
        images = look === undefined ? this.#tables.find(name) : findIn(look.tracked, name)
        if (images === undefined) return undefined
        if (look?.reshaped.has(name.toLowerCase()) === true) throw corrupt('was recorded under other columns')
        if (keyParts.length !== images.table.stored.length) throw corrupt('has another number of columns than its table')
        list.beginTable(images.table.hasLooseKey)
        return images.table.isUntyped
      },
      onChange: (change) => {
        if (images !== undefined) list.add(images.draft(change))
      },
    })
    list.endTable()
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

const MARK = 'SELECT total_changes(), (SELECT data_version FROM pragma_data_version), (SELECT schema_version FROM pragma_schema_version)'

export function isSameMark(one: DatabaseMark, other: DatabaseMark): boolean {
  return one.totalChanges === other.totalChanges && one.dataVersion === other.dataVersion && one.schemaVersion === other.schemaVersion
}
