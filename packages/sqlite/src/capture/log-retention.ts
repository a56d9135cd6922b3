import { TidemarkError, type AbortOptions, type Fence } from '@tidemark/core/adapter'
import { requireFence } from '../commit.ts'
import type { LogNames } from './log-names.ts'
import type { LogPlace } from './log-place.ts'
import type { LogSession } from './log-session.ts'

/** What to do when consumers that do not come back make the log grow. */
export interface RetentionLimit {
  /** Changes kept at most; `undefined`: as many as consumers need. */
  readonly maxEvents: number | undefined
  /** `keep` lets the log grow beyond; `discard` drops the oldest, which is a gap to whoever still needs them. */
  readonly whenFull: 'keep' | 'discard'
}

/** Entries deleted in one transaction: a few milliseconds, so that no writer waits longer. */
const PURGE_ENTRIES = 5_000

export interface Consumer {
  readonly name: string
  readonly seq: number
  readonly digest: string
}

export interface RetainEntry extends AbortOptions {
  readonly consumer: string
  readonly place: LogPlace
  readonly fence: Fence
  readonly nowMs: number
  /** The last change up to which the tables were seen to be as the triggers know them. */
  readonly verified: number
}

/** Errors: `LEASE_LOST`; nothing is written then. */
export async function retainLog(session: LogSession, names: LogNames, entry: RetainEntry): Promise<void> {
  const { consumer, place, fence, nowMs, verified } = entry
  if (place.unit !== undefined) throw new TidemarkError('INTERNAL', 'A position inside of a transaction can not be retained.')
  await session.write(async (transaction) => {
    await requireFence(transaction, names, fence)
    await transaction.run(
      `INSERT INTO ${names.consumers} VALUES (?, ?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET seq = excluded.seq, digest = excluded.digest, updated_at_ms = excluded.updated_at_ms`,
      [consumer, BigInt(place.seq), place.digest ?? '', BigInt(Math.trunc(nowMs))],
    )
    await transaction.run(`UPDATE ${names.meta} SET value = ? WHERE key = 'verified' AND value < ?`, [BigInt(verified), BigInt(verified)])
  }, entry)
}

export async function releaseConsumer(session: LogSession, names: LogNames, consumer: string, options: AbortOptions): Promise<void> {
  await session.write((transaction) => transaction.run(`DELETE FROM ${names.consumers} WHERE name = ?`, [consumer]), options)
}

export async function readConsumers(session: LogSession, names: LogNames, options: AbortOptions): Promise<readonly Consumer[]> {
  const rows = await session.read((driver) => driver.query(`SELECT name, seq, digest FROM ${names.consumers}`), options)
  return rows.map(([name, seq, digest]) => ({ name: String(name), seq: Number(seq), digest: String(digest) }))
}

/**
 * Deletes the oldest entries that nobody needs, at most `PURGE_ENTRIES`. A consumer's own entry stays: by it a restored
 * database is recognised. So does the last: the next number is counted from it.
 */
export async function purgeLog(session: LogSession, names: LogNames, limit: RetentionLimit, options: AbortOptions): Promise<boolean> {
  const [row] = await session.read((driver) => driver.query(
    `SELECT (SELECT min(seq) FROM ${names.log}), (SELECT max(seq) FROM ${names.log}), (SELECT min(seq) FROM ${names.consumers})`,
  ), options)
  const [first, last, needed] = row ?? []
  const end = Math.min(Number(last), Math.max(Number(needed ?? 0), discardBefore(limit, Number(last))))
  const until = Math.min(end, Number(first) + PURGE_ENTRIES)
  if (!(until > Number(first))) return false
  await session.write(async (transaction) => {
    // Only as far as the entry is still unneeded: a consumer may have come since.
    const guard = limit.whenFull === 'discard' ? '' : ` AND seq < (SELECT min(seq) FROM ${names.consumers})`
    await transaction.run(`DELETE FROM ${names.log} WHERE seq < ?${guard}`, [BigInt(until)])
    await transaction.run(`UPDATE ${names.meta} SET value = max(value, (SELECT min(seq) FROM ${names.log}) - 1) WHERE key = 'purged'`)
  }, options)
  // Else the writer whose commit fills the write-ahead log would pay for the pages that were written here.
  await session.checkpoint(options)
  return until < end
}

function discardBefore({ maxEvents, whenFull }: RetentionLimit, last: number): number {
  return whenFull === 'discard' && maxEvents !== undefined ? last - maxEvents + 1 : 0
}
