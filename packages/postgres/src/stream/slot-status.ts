import type { AbortOptions, LogHealth, LogRetention } from '@tidemark/core/adapter'
import type { SqlSession } from '../sql-session.ts'
import type { RetentionLook } from './retention-meter.ts'

/** A slot as the server sees it: what of the log it keeps for it. `maxRetainedBytes`: the lesser of `max_slot_wal_keep_size` and the option. */
export interface SlotStatus extends LogRetention {
  readonly slot: string
  /** Whether a stream reads it just now. */
  readonly isActive: boolean
  /** The server's own word: `reserved`, `extended`, `unreserved` or `lost`; `undefined` where there is no slot. */
  readonly walStatus: string | undefined
}

export interface SlotStatusRequest extends AbortOptions {
  readonly slot: string
  /** What the stream lets the server keep; `undefined`: what that allows. */
  readonly maxRetainedBytes: number | undefined
}

interface Row {
  readonly active: boolean
  readonly status: string | null
  readonly retained: number | null
  readonly lag: number | null
  readonly safe: number | null
  readonly limit: number
}

const STATUS = `SELECT pg_catalog.json_build_object('active', active, 'status', wal_status, 'safe', safe_wal_size,
  'retained', pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn), 'lag', pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), confirmed_flush_lsn),
  'limit', (SELECT setting::pg_catalog.int8 FROM pg_catalog.pg_settings WHERE name = 'max_slot_wal_keep_size'))
FROM pg_catalog.pg_replication_slots WHERE slot_name = $1::pg_catalog.text`

const MEGABYTE = 1024 * 1024

/** One query. */
export async function readSlotStatus(session: SqlSession, { slot, maxRetainedBytes, signal }: SlotStatusRequest): Promise<Omit<SlotStatus, keyof LogRetention> & RetentionLook> {
  const [found] = await session.query({ text: STATUS, parameters: [slot], signal })
  if (found === undefined) return { slot, health: 'missing', isActive: false, walStatus: undefined, retainedBytes: 0, lagBytes: 0, safeBytes: undefined, maxRetainedBytes }
  // The statement above builds exactly this shape.
  const row = JSON.parse(found[0] ?? '') as Row
  const limit = Math.min(row.limit < 0 ? Infinity : row.limit * MEGABYTE, maxRetainedBytes ?? Infinity)
  const retainedBytes = row.retained ?? 0
  return {
    slot, retainedBytes, isActive: row.active, lagBytes: Math.max(0, row.lag ?? 0), safeBytes: row.safe ?? undefined, walStatus: row.status ?? undefined,
    maxRetainedBytes: limit === Infinity ? undefined : limit,
    health: healthOf(row.status, { retainedBytes, limit, own: maxRetainedBytes ?? Infinity }),
  }
}

function healthOf(status: string | null, { retainedBytes, limit, own }: { readonly retainedBytes: number; readonly limit: number; readonly own: number }): LogHealth {
  if (status === 'lost') return 'lost'
  if (retainedBytes > own) return 'over'
  if (limit === Infinity) return 'unbounded'
  return status === 'unreserved' || retainedBytes >= limit / 2 ? 'filling' : 'ok'
}
