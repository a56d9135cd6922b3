import { TidemarkError, type StoredState } from '@tidemark/core/adapter'
import type { SqliteTransaction } from './driver.ts'
import { quote } from './quote.ts'

const PREFIX = /^[A-Za-z_][A-Za-z0-9_]{0,30}$/

export interface StateEntry {
  readonly key: string
  readonly value: string
  /** The version that is there; `undefined`: none. */
  readonly expected: number | undefined
}

/** The table of small durable values, each with a version that grows by one with every write. */
export class StateTable {
  /** Quoted. */
  readonly name: string

  /** Errors: `CONFIG_INVALID` for a prefix that is no plain name. */
  constructor(prefix: string) {
    if (!PREFIX.test(prefix)) {
      const issues = [{ path: 'tablePrefix', message: 'Must match [A-Za-z_][A-Za-z0-9_]*.' }]
      throw new TidemarkError('CONFIG_INVALID', 'The table prefix must be a plain identifier of at most 31 characters.', { issues })
    }
    this.name = quote(`${prefix}state`)
  }

  async create(transaction: SqliteTransaction): Promise<void> {
    await transaction.run(`CREATE TABLE IF NOT EXISTS ${this.name} (key TEXT PRIMARY KEY, value TEXT NOT NULL, version INTEGER NOT NULL) WITHOUT ROWID`)
  }

  async read(reader: Pick<SqliteTransaction, 'query'>, key: string): Promise<StoredState | undefined> {
    const [row] = await reader.query(`SELECT value, version FROM ${this.name} WHERE key = ?`, [key])
    return row === undefined ? undefined : { value: String(row[0]), version: Number(row[1]) }
  }

  /** Returns the new version. Errors: `STATE_CONFLICT`; nothing is written then. */
  async write(transaction: SqliteTransaction, entry: StateEntry): Promise<number> {
    if (await this.#put(transaction, entry) === 1) return (entry.expected ?? 0) + 1
    throw new TidemarkError('STATE_CONFLICT', `The state "${entry.key}" has another version than expected; nothing was written.`)
  }

  #put(transaction: SqliteTransaction, { key, value, expected }: StateEntry): Promise<number> {
    if (expected === undefined) return transaction.run(`INSERT INTO ${this.name} VALUES (?, ?, 1) ON CONFLICT (key) DO NOTHING`, [key, value])
    return transaction.run(`UPDATE ${this.name} SET value = ?, version = version + 1 WHERE key = ? AND version = ?`, [value, key, expected])
  }
}
