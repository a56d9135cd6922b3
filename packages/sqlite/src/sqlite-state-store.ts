import { TidemarkError, type StateStore, type StoredState } from '@tidemark/core/adapter'
import type { BatchDriver } from './driver.ts'
import { quote } from './quote.ts'

export interface SqliteStateStoreConfig {
  /** Opens the database; called once, when the store is first used, and again after that failed. */
  readonly open: () => Promise<BatchDriver>
  /** Prefix of the store's table. Default `tidemark_`. */
  readonly tablePrefix?: string | undefined
}

const PREFIX = /^[A-Za-z_][A-Za-z0-9_]{0,30}$/

/**
 * Small durable values in a table of a SQLite database: checkpoints of change streams among them. Each write is a transaction of
 * its own. Errors: `STATE_CONFLICT`, `TARGET_*`, `CLOSED`.
 */
export class SqliteStateStore implements StateStore, AsyncDisposable {
  readonly #open: () => Promise<BatchDriver>
  readonly #table: string
  #driver: Promise<BatchDriver> | undefined
  #isDisposed = false
  /** One call at a time: a driver has one transaction. */
  #tail: Promise<unknown> = Promise.resolve()

  constructor(config: SqliteStateStoreConfig) {
    const prefix = config.tablePrefix ?? 'tidemark_'
    if (!PREFIX.test(prefix)) {
      const issues = [{ path: 'tablePrefix', message: 'Must match [A-Za-z_][A-Za-z0-9_]*.' }]
      throw new TidemarkError('CONFIG_INVALID', 'The table prefix must be a plain identifier of at most 31 characters.', { issues })
    }
    this.#open = config.open
    this.#table = quote(`${prefix}state`)
  }

  get(key: string): Promise<StoredState | undefined> {
    return this.#use(async (driver) => {
      const [row] = await driver.query(`SELECT value, version FROM ${this.#table} WHERE key = ?`, [key])
      return row === undefined ? undefined : { value: String(row[0]), version: Number(row[1]) }
    })
  }

  set(key: string, value: string, expected: number | undefined): Promise<number> {
    return this.#use((driver) => driver.transaction(async (transaction) => {
      const [row] = await transaction.query(`SELECT version FROM ${this.#table} WHERE key = ?`, [key])
      const found = row === undefined ? undefined : Number(row[0])
      if (found !== expected) throw new TidemarkError('STATE_CONFLICT', `The state "${key}" has another version than expected; nothing was written.`)
      const version = (expected ?? 0) + 1
      const sql = `INSERT INTO ${this.#table} VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = excluded.version`
      await transaction.run(sql, [key, value, version])
      return version
    }))
  }

  delete(key: string): Promise<void> {
    return this.#use((driver) => driver.transaction(async (transaction) => {
      await transaction.run(`DELETE FROM ${this.#table} WHERE key = ?`, [key])
    }))
  }

  list(prefix: string): Promise<readonly string[]> {
    return this.#use(async (driver) => {
      // By code units and not by LIKE, for which `_` is a wildcard.
      const rows = await driver.query(`SELECT key FROM ${this.#table} WHERE substr(key, 1, length(?)) = ? ORDER BY key`, [prefix, prefix])
      return rows.map(([key]) => String(key))
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return
    this.#isDisposed = true
    await this.#tail
    const driver = await this.#driver?.catch(() => undefined)
    await driver?.[Symbol.asyncDispose]()
  }

  #use<T>(work: (driver: BatchDriver) => Promise<T>): Promise<T> {
    if (this.#isDisposed) return Promise.reject(new TidemarkError('CLOSED', 'The state store is closed.'))
    const turn = this.#tail.then(async () => work(await this.#opened()))
    this.#tail = turn.catch(() => undefined)
    return turn
  }

  #opened(): Promise<BatchDriver> {
    this.#driver ??= this.#prepare().catch((error: unknown) => {
      this.#driver = undefined
      throw error
    })
    return this.#driver
  }

  async #prepare(): Promise<BatchDriver> {
    const driver = await this.#open()
    try {
      const sql = `CREATE TABLE IF NOT EXISTS ${this.#table} (key TEXT PRIMARY KEY, value TEXT NOT NULL, version INTEGER NOT NULL) WITHOUT ROWID`
      await driver.transaction((transaction) => transaction.run(sql))
      return driver
    } catch (error) {
      await driver[Symbol.asyncDispose]()
      throw error
    }
  }
}
