import * as sqlite from 'node:sqlite'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { narrowInteger, sqliteError, whenFree, type AttachedImage, type SqliteDriver, type SqliteQuery, type SqliteTransaction, type SqliteValue, type ViewOptions } from '@tidemark/sqlite'
import { throwIfAborted, type AbortOptions, type RowValues, type Value } from '@tidemark/core/adapter'
import { requireNodeSqlite } from './require-node-sqlite.ts'

export interface NodeSqliteDriverOptions {
  /** File path, or `:memory:`. */
  readonly path: string
  /** How long to wait for another writer, in milliseconds. */
  readonly busyTimeoutMs: number
  /** Never creates the file and never writes to it. Default false. */
  readonly isReadOnly?: boolean | undefined
  /** The application's own file: it must exist, and how it is journalled stays as it is. Default false. */
  readonly isForeign?: boolean | undefined
  /** Lets statements write to `sqlite_schema`, as dumps of the shell do for virtual tables. Default false. */
  readonly writesSchema?: boolean | undefined
}

/** Copied at a time, in a few milliseconds: as long as it takes to be heard. Larger steps copy no faster. */
const BACKUP_PAGES = 1_000

/** Whether the runtime's `node:sqlite` has SQLite's backup. */
export function canBackUp(): boolean {
  return 'backup' in sqlite
}

/** Statements kept prepared. A table needs two per batch size, and a handful are Tidemark's own. */
const MAX_STATEMENTS = 64

/** Pages of 4 KB in the write-ahead log at which SQLite moves them into the file. */
const CHECKPOINT_PAGES = 16_000

/**
 * Memory for pages, taken only as it is used. A thousand rows spread over a large table with an index make two thousand pages dirty,
 * 8 MB; with SQLite's own 2 MB they would go to the log in the middle of the transaction, come back and go there again.
 */
const CACHE_KB = 16_000

/** node:sqlite as Node, Bun and Deno have it. Calls are synchronous: a large commit blocks the thread while it runs. A lock of another connection does not. */
export class NodeSqliteDriver implements SqliteDriver {
  readonly #database: DatabaseSync
  readonly #path: string
  readonly #busyTimeoutMs: number
  readonly #statements = new Map<string, StatementSync>()
  #images = 0
  #refusesLarge: boolean | undefined

  constructor(options: NodeSqliteDriverOptions) {
    requireNodeSqlite()
    this.#path = options.path
    this.#busyTimeoutMs = options.busyTimeoutMs
    this.#database = mapped(() => open(options))
  }

  query(sql: string, parameters: readonly SqliteValue[] = []): Promise<readonly RowValues[]> {
    return this.#whenFree(() => this.#query(sql, parameters))
  }

  /** Within a transaction of `execute('BEGIN')`: what that sees. */
  view(queries: readonly SqliteQuery[], { bigints = false }: ViewOptions = {}): Promise<readonly (readonly RowValues[])[]> {
    const read = (): readonly (readonly RowValues[])[] => queries.map(({ sql, parameters = [] }) => (
      bigints ? this.#all(sql, parameters) as readonly RowValues[] : this.#narrowed(sql, parameters) // see toValue
    ))
    return this.#whenFree(() => {
      if (this.#database.isTransaction) return read()
      this.#database.exec('BEGIN')
      try {
        return read()
      } finally {
        // Nothing was written, so there is nothing to take back; an error may have ended it already.
        if (this.#database.isTransaction) this.#database.exec('COMMIT')
      }
    })
  }

  checkpoint(): Promise<void> {
    return this.execute('PRAGMA wal_checkpoint(PASSIVE)')
  }

  execute(sql: string): Promise<void> {
    return this.#whenFree(() => this.#database.exec(sql))
  }

  async transaction<T>(work: (transaction: SqliteTransaction) => Promise<T>): Promise<T> {
    await this.execute('BEGIN IMMEDIATE')
    try {
      const result = await work(this.#transaction)
      await this.execute('COMMIT')
      return result
    } catch (error) {
      // SQLite has rolled back by itself on some errors, such as a full disk.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  /**
   * Copies the database, as it is or as an open transaction sees it, on another thread. Only where {@link canBackUp}. Errors: `ABORTED`, with half a copy left
   * behind; the driver's.
   */
  async backUp(file: string, { signal }: AbortOptions = {}): Promise<void> {
    const isOwn = !this.#database.isTransaction
    try {
      // Of one instant: between steps a writer of another connection would have the copy begun anew.
      if (isOwn) {
        this.#database.exec('BEGIN')
        await this.query('SELECT count(*) FROM sqlite_schema')
      }
      await sqlite.backup(this.#database, file, { rate: BACKUP_PAGES, progress: () => throwIfAborted(signal) })
    } catch (error) {
      throw sqliteError(error)
    } finally {
      if (isOwn && this.#database.isTransaction) this.#database.exec('COMMIT')
    }
  }

  async attachImage(image: Uint8Array): Promise<AttachedImage> {
    this.#images += 1
    const schema = `image_${this.#images}`
    const folder = await this.#makeImageFolder()
    const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
    try {
      const file = join(folder, 'image.db')
      await writeFile(file, image)
      await this.#whenFree(() => this.#database.prepare(`ATTACH ? AS ${schema}`).run(file))
    } catch (error) {
      await remove()
      throw error
    }
    // SQLite holds the file open: without its name it goes with the process, even one that is killed. Windows keeps it till later.
    await remove().catch(() => undefined)
    return {
      schema,
      [Symbol.asyncDispose]: async () => {
        // Statements on the image hold it open.
        this.#forgetStatements(schema)
        await this.execute(`DETACH ${schema}`)
        await remove()
      },
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#statements.clear()
    if (this.#database.isOpen) this.#database.close()
    return Promise.resolve()
  }

  readonly #transaction: SqliteTransaction = {
    query: (sql, parameters = []) => this.#whenFree(() => this.#query(sql, parameters)),
    run: (sql, parameters = []) => this.#whenFree(() => Number(this.#prepare(sql).run(...parameters).changes)),
    script: (sql) => this.#whenFree(() => this.#database.exec(sql)),
  }

  #whenFree<T>(work: () => T): Promise<T> {
    return whenFree(() => mapped(work), this.#busyTimeoutMs)
  }

  #query(sql: string, parameters: readonly SqliteValue[]): readonly RowValues[] {
    return this.#all(sql, parameters).map((row) => row.map(toValue))
  }

  #all(sql: string, parameters: readonly SqliteValue[]): readonly (readonly unknown[])[] {
    return asArrays(this.#prepare(sql).all(...parameters))
  }

  /**
   * Plain numbers cost half of what bigints do, which nearly all would be turned into numbers anyway. An integer beyond the safe range
   * is refused by Node and Deno, and then the query is run again for bigints; a runtime that rounds it instead always reads bigints.
   */
  #narrowed(sql: string, parameters: readonly SqliteValue[]): readonly RowValues[] {
    this.#refusesLarge ??= refusesLargeIntegers(this.#database)
    if (!this.#refusesLarge) return this.#query(sql, parameters)
    const statement = this.#prepare(sql)
    statement.setReadBigInts(false)
    try {
      return asArrays(statement.all(...parameters)) as readonly RowValues[] // see toValue
    } catch (error) {
      if (!isOutOfRange(error)) throw error
    } finally {
      statement.setReadBigInts(true)
    }
    return this.#query(sql, parameters)
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    statement.setReadBigInts(true)
    statement.setReturnArrays(true)
    const oldest = this.#statements.keys().next().value
    if (this.#statements.size >= MAX_STATEMENTS && oldest !== undefined) this.#statements.delete(oldest)
    this.#statements.set(sql, statement)
    return statement
  }

  #forgetStatements(mention: string): void {
    for (const sql of this.#statements.keys()) if (sql.includes(mention)) this.#statements.delete(sql)
  }

  /** Beside the database, so that an image never crosses file systems; a memory database uses the temporary folder. */
  #makeImageFolder(): Promise<string> {
    const parent = this.#path === ':memory:' ? tmpdir() : dirname(this.#path)
    return mkdtemp(join(parent, '.tidemark-load-'))
  }
}

function open(options: NodeSqliteDriverOptions): DatabaseSync {
  const readOnly = options.isReadOnly ?? false
  // `defensive` came with Node 24.12; before, every connection lets the schema be written to.
  const settings = { enableForeignKeyConstraints: false, timeout: options.busyTimeoutMs, readOnly, defensive: options.writesSchema !== true }
  const database = new DatabaseSync(options.path, settings)
  if (!readOnly && options.isForeign !== true) prepare(database)
  // From here on the driver waits itself, and the thread does not.
  database.exec('PRAGMA busy_timeout = 0')
  return database
}

function prepare(database: DatabaseSync): void {
  // Readers go on while we write; NORMAL keeps the file consistent through a crash, and what a power cut may take back is the
  // last commits together with their checkpoints (sqlite.org, "Write-Ahead Logging").
  // A checkpoint for each slice of a load would write every page twice with a sync in between; 64 MB of log cost nobody.
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA cache_size = -${CACHE_KB}`)
}

/** As `setReturnArrays` has them, whatever the types say. */
function asArrays(rows: readonly unknown[]): readonly (readonly unknown[])[] {
  return rows as readonly (readonly unknown[])[]
}

const LARGE = '9007199254740993'

function refusesLargeIntegers(database: DatabaseSync): boolean {
  try {
    database.prepare(`SELECT ${LARGE}`).all()
    return false
  } catch (error) {
    return isOutOfRange(error)
  }
}

function isOutOfRange(error: unknown): boolean {
  return error instanceof RangeError || (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_OUT_OF_RANGE')
}

function toValue(value: unknown): Value {
  if (typeof value === 'bigint') return narrowInteger(value)
  // node:sqlite gives null, number, bigint, string or Uint8Array, nothing else.
  return value as Value
}

function mapped<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw sqliteError(error)
  }
}
