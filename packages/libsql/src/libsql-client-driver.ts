import { TidemarkError, type RowValues, type Value } from '@tidemark/core/adapter'
import {
  narrowInteger, type AttachedImage, type ImageFile, type SqliteDriver, type SqliteQuery, type SqliteTransaction, type SqliteValue,
  type ViewOptions,
} from '@tidemark/sqlite'
import type { LibsqlClient, LibsqlResult, LibsqlStatement, LibsqlTransaction } from './libsql-client.ts'
import { libsqlError } from './libsql-error.ts'

const BATCH_BYTES = 1_000_000

export interface LibsqlClientDriverOptions {
  readonly client: LibsqlClient
  /** Whether the driver closes the client when it is disposed. An application's own is left open. */
  readonly closes: boolean
  /**
   * Absent: images can't be attached. Only for a client of one connection: one that keeps several gives a statement
   * whichever it likes, and an attached image may be missing where it is wanted.
   */
  readonly writeImage?: ((image: Uint8Array) => Promise<ImageFile>) | undefined
}

/** `@libsql/client`, whatever it is connected to. */
export class LibsqlClientDriver implements SqliteDriver {
  readonly attachImage?: (image: Uint8Array) => Promise<AttachedImage>
  readonly #client: LibsqlClient
  readonly #closes: boolean
  #images = 0

  constructor(options: LibsqlClientDriverOptions) {
    this.#client = options.client
    this.#closes = options.closes
    const { writeImage } = options
    if (writeImage !== undefined) this.attachImage = (image) => this.#attach(image, writeImage)
  }

  async query(sql: string, parameters: readonly SqliteValue[] = []): Promise<readonly RowValues[]> {
    return rowsOf(await mapped(() => this.#client.execute(statementOf(sql, parameters))))
  }

  /** One request. */
  async view(queries: readonly SqliteQuery[], { bigints = false }: ViewOptions = {}): Promise<readonly (readonly RowValues[])[]> {
    const statements = queries.map(({ sql, parameters = [] }) => statementOf(sql, parameters))
    const results = await mapped(() => this.#client.batch(statements, 'read'))
    return results.map((result) => rowsOf(result, bigints ? toExactValue : toValue))
  }

  /**
   * Over http and ws a PRAGMA is not sent: each call has a session of its own there, so that it would last for nothing,
   * and the server refuses most (libsql-server, `query_analysis.rs`, `pragma_kind`).
   */
  async execute(sql: string): Promise<void> {
    if (this.#client.protocol !== 'file' && /^\s*PRAGMA\b/i.test(sql)) return
    await mapped(() => this.#client.executeMultiple(sql))
  }

  async transaction<T>(work: (transaction: SqliteTransaction) => Promise<T>): Promise<T> {
    await this.#waitForLock()
    const transaction = await mapped(() => this.#client.transaction('write'))
    try {
      const result = await work(new ClientTransaction(transaction))
      await mapped(() => transaction.commit())
      return result
    } catch (error) {
      // The first error is the one that tells; a connection that is gone has rolled back by itself.
      await transaction.rollback().catch(() => undefined)
      throw error
    } finally {
      transaction.close()
    }
  }

  /**
   * A BEGIN that finds a file locked is left unfinished by the client (0.18 with libsql 0.5.29), and until that statement is collected
   * as garbage every COMMIT of the connection fails with "SQL statements in progress". A script is finished in any
   * case, so the wait for the lock is done by one; what remains is the moment between the two.
   */
  async #waitForLock(): Promise<void> {
    if (this.#client.protocol === 'file') await mapped(() => this.#client.executeMultiple('BEGIN IMMEDIATE; ROLLBACK'))
  }

  async #attach(image: Uint8Array, writeImage: (image: Uint8Array) => Promise<ImageFile>): Promise<AttachedImage> {
    this.#images += 1
    const schema = `image_${this.#images}`
    const file = await writeImage(image)
    try {
      await mapped(() => this.#client.execute(statementOf(`ATTACH ? AS ${schema}`, [file.path])))
    } catch (error) {
      await file[Symbol.asyncDispose]()
      throw error
    }
    return {
      schema,
      [Symbol.asyncDispose]: async () => {
        await this.execute(`DETACH ${schema}`)
        await file[Symbol.asyncDispose]()
      },
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (this.#closes) this.#client.close()
    return Promise.resolve()
  }
}

class ClientTransaction implements SqliteTransaction {
  readonly #transaction: LibsqlTransaction

  constructor(transaction: LibsqlTransaction) {
    this.#transaction = transaction
  }

  async query(sql: string, parameters: readonly SqliteValue[] = []): Promise<readonly RowValues[]> {
    return rowsOf(await mapped(() => this.#transaction.execute(statementOf(sql, parameters))))
  }

  async run(sql: string, parameters: readonly SqliteValue[] = []): Promise<number> {
    return (await mapped(() => this.#transaction.execute(statementOf(sql, parameters)))).rowsAffected
  }

  async script(sql: string): Promise<void> {
    await mapped(() => this.#transaction.executeMultiple(sql))
  }

  /** In batches of about a megabyte: one request each, small enough for a server's limit and for memory. */
  async runMany(sql: string, lists: Iterable<readonly SqliteValue[]>): Promise<number> {
    let changed = 0
    let batch: LibsqlStatement[] = []
    let bytes = 0
    const flush = async (): Promise<void> => {
      const results = await mapped(() => this.#transaction.batch(batch))
      for (const result of results) changed += result.rowsAffected
      batch = []
      bytes = 0
    }
    for (const parameters of lists) {
      batch.push(statementOf(sql, parameters))
      bytes += sizeOf(parameters)
      if (bytes >= BATCH_BYTES) await flush()
    }
    if (batch.length > 0) await flush()
    return changed
  }
}

/** Roughly, as text on the way: a number with its type takes about 30 bytes. */
function sizeOf(parameters: readonly SqliteValue[]): number {
  let bytes = 0
  for (const value of parameters) bytes += 30 + (typeof value === 'string' || value instanceof Uint8Array ? value.length : 0)
  return bytes
}

function statementOf(sql: string, parameters: readonly SqliteValue[]): LibsqlStatement {
  return { sql, args: [...parameters] }
}

function rowsOf(result: LibsqlResult, convert: (value: unknown) => Value = toValue): readonly RowValues[] {
  return result.rows.map((row) => Array.from({ length: row.length }, (_, index) => convert(row[index])))
}

function toValue(value: unknown): Value {
  return typeof value === 'bigint' ? narrowInteger(value) : toExactValue(value)
}

function toExactValue(value: unknown): Value {
  if (typeof value === 'bigint') return value
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  if (value === null || typeof value === 'number' || typeof value === 'string' || value instanceof Uint8Array) return value
  throw new TidemarkError('TARGET_FAILED', `The libSQL client gave a value of type ${typeof value}.`)
}

async function mapped<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw libsqlError(error)
  }
}
