import { NO_TIME, TidemarkError, type HybridTime } from '@tidemark/core/adapter'
import type { LogNames } from '../../capture/log-names.ts'
import { readLogState } from '../../capture/log-schema.ts'
import type { BatchTransaction } from '../../driver.ts'
import type { PeerNames } from '../peer-names.ts'

/** The clock, and up to where the log's changes have versions. */
export interface StoredClock {
  readonly time: HybridTime
  readonly stamped: number
}

/** Nothing of the log so far has a version: its rows are as old as can be. */
export async function createVersionTables(transaction: BatchTransaction, names: PeerNames, log: LogNames): Promise<void> {
  if (await readLogState(transaction, log) === undefined) throw new TidemarkError('LOG_NOT_OWNED', `The database has no change log '${log.prefix}', which the versions of its own writes come from.`, { remedy: 'Call install() of the source of changes first, or name its log in `log`.' })
  // `gone`: since when, in milliseconds since 1970; 0 for a row that is there.
  await transaction.run(`CREATE TABLE IF NOT EXISTS ${names.versions} (name TEXT, key TEXT, version TEXT NOT NULL, gone INTEGER NOT NULL, PRIMARY KEY (name, key)) WITHOUT ROWID`)
  // Looked at with every message, for what is too old.
  await transaction.run(`CREATE INDEX IF NOT EXISTS ${names.gone} ON ${names.versions} (gone) WHERE gone > 0`)
  await transaction.run(`CREATE TABLE IF NOT EXISTS ${names.stamps} (seq INTEGER PRIMARY KEY, version TEXT NOT NULL)`)
  await transaction.run(`CREATE TABLE IF NOT EXISTS ${names.clock} (one INTEGER PRIMARY KEY, time TEXT NOT NULL, stamped INTEGER NOT NULL)`)
  await transaction.run(`INSERT OR IGNORE INTO ${names.clock} SELECT 1, ?, ifnull(max(seq), 0) FROM ${log.log}`, [NO_TIME])
}

export async function readClock(transaction: Pick<BatchTransaction, 'query'>, names: PeerNames): Promise<StoredClock> {
  const [row] = await transaction.query(`SELECT time, stamped FROM ${names.clock}`)
  return { time: String(row?.[0] ?? NO_TIME), stamped: Number(row?.[1] ?? 0) }
}

export async function writeClock(transaction: BatchTransaction, names: PeerNames, { time, stamped }: StoredClock): Promise<void> {
  await transaction.run(`UPDATE ${names.clock} SET time = ?, stamped = ?`, [time, BigInt(stamped)])
}
