import { TidemarkError, type RowValues } from '@tidemark/core/adapter'
import {
  Changed, isUnchanged, requireUnchanged, untilUnchanged, type BatchDriver, type BatchTransaction, type SeenRows, type SqliteQuery, type SqliteValue,
} from '@tidemark/sqlite'
import { d1Error } from './cloudflare-error.ts'
import type { D1Database, D1Statement } from './d1-database.ts'
import { toBindings, toValue } from './to-binding.ts'

/** A D1 database. It has no transactions but batches: those of this driver read at once, and write in one batch that checks what was read. */
export class D1Driver implements BatchDriver {
  readonly #database: D1Database

  constructor(database: D1Database) {
    this.#database = database
  }

  query(sql: string, parameters: readonly SqliteValue[] = []): Promise<readonly RowValues[]> {
    return mapped(async () => (await prepared(this.#database, { sql, parameters }).raw()).map(toRow))
  }

  /** In one batch. Its rows come as objects, so that no two columns of a query may have one name. */
  async view(queries: readonly SqliteQuery[]): Promise<readonly (readonly RowValues[])[]> {
    return (await this.#batch(queries)).map(({ rows }) => rows)
  }

  transaction<T>(work: (transaction: BatchTransaction) => Promise<T>): Promise<T> {
    return untilUnchanged(async () => {
      const transaction = new D1Transaction(this)
      const result = await work(transaction)
      await this.commit(transaction)
      return result
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** In one batch. Gives what each of the writes gave. Throws `Changed` when what was seen is so no more. */
  async commit({ seen, writes }: D1Commit): Promise<readonly D1Written[]> {
    if (writes.length === 0) return []
    try {
      return (await this.#batch([...seen.map(requireUnchanged), ...writes])).slice(seen.length)
    } catch (error) {
      if (await this.#hasChanged(seen)) throw new Changed()
      throw error
    }
  }

  #batch(queries: readonly SqliteQuery[]): Promise<readonly D1Written[]> {
    return mapped(async () => {
      const results = await this.#database.batch(queries.map((query) => prepared(this.#database, query)))
      return results.map(({ results: rows, meta }) => ({ rows: rows.map((row) => toRow(Object.values(row as object))), changes: meta?.changes ?? 0 })) // always objects
    })
  }

  /** The error of a batch does not tell which statement failed, and its words are not to be relied on. */
  async #hasChanged(seen: readonly SeenRows[]): Promise<boolean> {
    if (seen.length === 0) return false
    const answers = await this.view(seen.map(isUnchanged))
    return answers.some(([row]) => row?.[0] !== 1)
  }
}

/** What a statement of a batch gave. */
export interface D1Written {
  readonly rows: readonly RowValues[]
  readonly changes: number
}

export interface D1Commit {
  readonly seen: readonly SeenRows[]
  readonly writes: readonly SqliteQuery[]
}

export class D1Transaction implements BatchTransaction {
  readonly seen: SeenRows[] = []
  readonly writes: SqliteQuery[] = []
  readonly #driver: D1Driver

  constructor(driver: D1Driver) {
    this.#driver = driver
  }

  async query(sql: string, parameters: readonly SqliteValue[] = []): Promise<readonly RowValues[]> {
    if (this.writes.length > 0) throw new TidemarkError('INTERNAL', 'A transaction on D1 can not read what it has written.')
    const rows = await this.#driver.query(sql, parameters)
    this.seen.push({ sql, parameters, rows })
    return rows
  }

  async run(sql: string, parameters: readonly SqliteValue[] = []): Promise<void> {
    this.writes.push({ sql, parameters })
  }
}

function prepared(database: D1Database, { sql, parameters = [] }: SqliteQuery): D1Statement {
  const statement = database.prepare(sql)
  return parameters.length === 0 ? statement : statement.bind(...toBindings(parameters))
}

function toRow(row: readonly unknown[]): RowValues {
  return row.map(toValue)
}

async function mapped<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw d1Error(error)
  }
}
