import type { RowValues, Value } from '@tidemark/core/adapter'
import type { AttachedImage, SqliteDriver, SqliteQuery, SqliteTransaction, SqliteValue, ViewOptions } from './driver.ts'
import { sqliteError } from './errors.ts'
import { narrowInteger } from './narrow-integer.ts'
import { whenFree } from './when-free.ts'

/** The subset of a better-sqlite3 statement that is used. */
export interface BetterSqliteStatement {
  raw(toggle?: boolean): unknown
  safeIntegers(toggle?: boolean): unknown
  all(parameters: readonly SqliteValue[]): readonly unknown[]
  run(parameters: readonly SqliteValue[]): { readonly changes: number | bigint }
}

/** The subset of a better-sqlite3 database that is used. The `libsql` package has the same shape. */
export interface BetterSqliteDatabase {
  readonly open: boolean
  readonly inTransaction: boolean
  prepare(sql: string): BetterSqliteStatement
  exec(sql: string): unknown
  close(): unknown
}

/** Puts an image where the database's own process can open it. */
export interface ImageFile extends AsyncDisposable {
  readonly path: string
}

export interface BetterSqliteDriverOptions {
  readonly database: BetterSqliteDatabase
  /** Whether the driver closes the database when it is disposed. An application's own is left open. */
  readonly closes: boolean
  /** How long to wait for another writer, in milliseconds, without blocking the thread. Absent: as the database is set, which blocks it. */
  readonly busyTimeoutMs?: number | undefined
  /** Absent: images can't be attached. Given by the host, because this package knows no file system. */
  readonly writeImage?: ((image: Uint8Array) => Promise<ImageFile>) | undefined
}

/** Statements kept prepared. A table needs two per batch size, and a handful are Tidemark's own. */
const MAX_STATEMENTS = 64

/** Every synchronous driver of better-sqlite3's shape. A large commit blocks the thread while it runs. */
export class BetterSqliteDriver implements SqliteDriver {
  readonly attachImage?: (image: Uint8Array) => Promise<AttachedImage>
  readonly #database: BetterSqliteDatabase
  readonly #closes: boolean
  readonly #busyTimeoutMs: number
  readonly #readers = new Map<string, BetterSqliteStatement>()
  readonly #writers = new Map<string, BetterSqliteStatement>()
  #images = 0

  constructor(options: BetterSqliteDriverOptions) {
    this.#database = options.database
    this.#closes = options.closes
    this.#busyTimeoutMs = options.busyTimeoutMs ?? 0
    if (options.busyTimeoutMs !== undefined) this.#database.exec('PRAGMA busy_timeout = 0')
    const { writeImage } = options
    if (writeImage !== undefined) this.attachImage = (image) => this.#attach(image, writeImage)
  }

  query(sql: string, parameters: readonly SqliteValue[] = []): Promise<readonly RowValues[]> {
    return this.#whenFree(() => this.#query(sql, parameters))
  }

  view(queries: readonly SqliteQuery[], { bigints = false }: ViewOptions = {}): Promise<readonly (readonly RowValues[])[]> {
    return this.#whenFree(() => {
      this.#database.exec('BEGIN')
      try {
        return queries.map(({ sql, parameters = [] }) => this.#query(sql, parameters, bigints ? toExactValue : toValue))
      } finally {
        // Nothing was written, so there is nothing to take back; an error may have ended it already.
        if (this.#database.inTransaction) this.#database.exec('COMMIT')
      }
    })
  }

  checkpoint(): Promise<void> {
    return this.execute('PRAGMA wal_checkpoint(PASSIVE)')
  }

  execute(sql: string): Promise<void> {
    return this.#whenFree(() => void this.#database.exec(sql))
  }

  async transaction<T>(work: (transaction: SqliteTransaction) => Promise<T>): Promise<T> {
    await this.execute('BEGIN IMMEDIATE')
    try {
      const result = await work(this.#transaction)
      await this.execute('COMMIT')
      return result
    } catch (error) {
      // SQLite has rolled back by itself on some errors, such as a full disk.
      if (this.#database.inTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#readers.clear()
    this.#writers.clear()
    // libsql aborts the process when a closed database is asked anything but whether it is open.
    return this.#whenFree(() => void (this.#closes && this.#database.open && this.#database.close()))
  }

  readonly #transaction: SqliteTransaction = {
    query: (sql, parameters = []) => this.#whenFree(() => this.#query(sql, parameters)),
    run: (sql, parameters = []) => this.#whenFree(() => Number(this.#writer(sql).run(parameters).changes)),
    script: (sql) => this.#whenFree(() => void this.#database.exec(sql)),
  }

  async #attach(image: Uint8Array, writeImage: (image: Uint8Array) => Promise<ImageFile>): Promise<AttachedImage> {
    this.#images += 1
    const schema = `image_${this.#images}`
    const file = await writeImage(image)
    try {
      await this.#whenFree(() => this.#database.prepare(`ATTACH ? AS ${schema}`).run([file.path]))
    } catch (error) {
      await file[Symbol.asyncDispose]()
      throw error
    }
    // SQLite holds the file open: without its name it goes with the process, even one that is killed. Windows keeps it till later.
    await Promise.resolve(file[Symbol.asyncDispose]()).catch(() => undefined)
    return {
      schema,
      [Symbol.asyncDispose]: async () => {
        // Statements on the image hold it open.
        for (const statements of [this.#readers, this.#writers]) {
          for (const sql of statements.keys()) if (sql.includes(schema)) statements.delete(sql)
        }
        await this.execute(`DETACH ${schema}`)
        await file[Symbol.asyncDispose]()
      },
    }
  }

  #whenFree<T>(work: () => T): Promise<T> {
    return whenFree(() => mapped(work), this.#busyTimeoutMs)
  }

  #query(sql: string, parameters: readonly SqliteValue[], convert: (value: unknown) => Value = toValue): readonly RowValues[] {
    const rows = remembered(this.#readers, sql, () => {
      const statement = this.#database.prepare(sql)
      statement.raw(true)
      statement.safeIntegers(true)
      return statement
    }).all(parameters)
    // In raw mode every row is an array.
    return (rows as readonly (readonly unknown[])[]).map((row) => row.map(convert))
  }

  #writer(sql: string): BetterSqliteStatement {
    return remembered(this.#writers, sql, () => this.#database.prepare(sql))
  }
}

function remembered(statements: Map<string, BetterSqliteStatement>, sql: string, prepare: () => BetterSqliteStatement): BetterSqliteStatement {
  const known = statements.get(sql)
  if (known !== undefined) return known
  const statement = prepare()
  const oldest = statements.keys().next().value
  if (statements.size >= MAX_STATEMENTS && oldest !== undefined) statements.delete(oldest)
  statements.set(sql, statement)
  return statement
}

function toValue(value: unknown): Value {
  return typeof value === 'bigint' ? narrowInteger(value) : toExactValue(value)
}

function toExactValue(value: unknown): Value {
  // Drivers give a Buffer; its methods are not those of a plain array of bytes (`slice` shares memory).
  if (value instanceof Uint8Array) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  // These drivers give null, number, bigint, string or bytes, nothing else.
  return value as Value
}

function mapped<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw sqliteError(error)
  }
}
