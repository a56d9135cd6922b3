import { TidemarkError, type StoredState } from '@tidemark/core/adapter'
import type { BatchTransaction } from './driver.ts'
import { quote } from './quote.ts'
import { requireTablePrefix } from './require-plain-name.ts'

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
    requireTablePrefix(prefix)
    this.name = quote(`${prefix}state`)
  }

  async create(transaction: BatchTransaction): Promise<void> {
    await transaction.run(`CREATE TABLE IF NOT EXISTS ${this.name} (key TEXT PRIMARY KEY, value TEXT NOT NULL, version INTEGER NOT NULL) WITHOUT ROWID`)
  }

  async read(reader: Pick<BatchTransaction, 'query'>, key: string): Promise<StoredState | undefined> {
    const [row] = await reader.query(`SELECT value, version FROM ${this.name} WHERE key = ?`, [key])
    return row === undefined ? undefined : { value: String(row[0]), version: Number(row[1]) }
  }

  /** Returns the new version. Errors: `STATE_CONFLICT`; nothing is written then. */
  async write(transaction: BatchTransaction, { key, value, expected }: StateEntry): Promise<number> {
    // Read first: a host that sends writes as one batch can't ask what they changed.
    const stored = await this.read(transaction, key)
    if (stored?.version !== expected) throw new TidemarkError('STATE_CONFLICT', `The state "${key}" has another version than expected; nothing was written.`)
    const version = (expected ?? 0) + 1
    const sql = `INSERT INTO ${this.name} VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = excluded.version`
    await transaction.run(sql, [key, value, version])
    return version
  }
}
