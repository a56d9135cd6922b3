import type { StateStore, StoredState } from '@tidemark/core/adapter'
import type { BatchDriver } from './driver.ts'
import { SerialDriver } from './serial-driver.ts'
import { StateTable } from './state-table.ts'

export interface SqliteStateStoreConfig {
  /** Opens the database; called once, when the store is first used, and again after that failed. */
  readonly open: () => Promise<BatchDriver>
  /** Prefix of the store's table. Default `tidemark_`. */
  readonly tablePrefix?: string | undefined
}

/**
 * Small durable values in a table of a SQLite database: checkpoints of change streams among them. Each write is a transaction of
 * its own. Errors: `STATE_CONFLICT`, `TARGET_*`, `CLOSED`.
 */
export class SqliteStateStore implements StateStore, AsyncDisposable {
  readonly #table: StateTable
  readonly #driver: SerialDriver<BatchDriver>

  constructor({ open, tablePrefix = 'tidemark_' }: SqliteStateStoreConfig) {
    const table = new StateTable(tablePrefix)
    this.#table = table
    this.#driver = new SerialDriver({ open, prepare: (driver) => driver.transaction((transaction) => table.create(transaction)), owner: 'state store' })
  }

  get(key: string): Promise<StoredState | undefined> {
    return this.#driver.use((driver) => this.#table.read(driver, key))
  }

  set(key: string, value: string, expected: number | undefined): Promise<number> {
    return this.#driver.use((driver) => driver.transaction((transaction) => this.#table.write(transaction, { key, value, expected })))
  }

  delete(key: string): Promise<void> {
    return this.#driver.use((driver) => driver.transaction(async (transaction) => {
      await transaction.run(`DELETE FROM ${this.#table.name} WHERE key = ?`, [key])
    }))
  }

  list(prefix: string): Promise<readonly string[]> {
    return this.#driver.use(async (driver) => {
      // By code units and not by LIKE, for which `_` is a wildcard.
      const rows = await driver.query(`SELECT key FROM ${this.#table.name} WHERE substr(key, 1, length(?)) = ? ORDER BY key`, [prefix, prefix])
      return rows.map(([key]) => String(key))
    })
  }

  /** Drops the table with everything in it, and closes the store. */
  async destroy(): Promise<void> {
    await this.#driver.use((driver) => driver.transaction((transaction) => transaction.run(`DROP TABLE IF EXISTS ${this.#table.name}`)))
    await this[Symbol.asyncDispose]()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#driver.close()
  }
}
