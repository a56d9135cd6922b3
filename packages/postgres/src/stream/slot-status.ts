import type { AbortOptions } from '@tidemark/core/adapter'
import type { PostgresSession } from '../postgres-session.ts'

/**
 * - `ok`: the server keeps little of what it may keep for the slot
 * - `unbounded`: it would keep the log until its disk is full: `max_slot_wal_keep_size` is not set
 * - `filling`: it keeps half of what it may, or more
 * - `lost`: it has given the slot up; the next start tells of the gap
 * - `missing`: there is no slot
 */
export type SlotHealth = 'ok' | 'unbounded' | 'filling' | 'lost' | 'missing'

/** A slot as the server sees it: what of the log it keeps for it. */
export interface SlotStatus {
  readonly slot: string
  readonly health: SlotHealth
  /** Whether a stream reads it just now. */
  readonly isActive: boolean
  /** What the server keeps of the log for it. */
  readonly retainedBytes: number
  /** How far the slot is behind the log's end. */
  readonly lagBytes: number
  /** How much may be written until the slot is given up; `undefined` without a limit. */
  readonly safeBytes: number | undefined
  /** `max_slot_wal_keep_size`; `undefined`: none. */
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
export async function readSlotStatus(session: PostgresSession, slot: string, options: AbortOptions): Promise<SlotStatus> {
  const [found] = await session.query({ text: STATUS, parameters: [slot], signal: options.signal })
  if (found === undefined) return { slot, health: 'missing', isActive: false, retainedBytes: 0, lagBytes: 0, safeBytes: undefined, maxRetainedBytes: undefined }
  // The statement above builds exactly this shape.
  const row = JSON.parse(found[0] ?? '') as Row
  const maxRetainedBytes = row.limit < 0 ? undefined : row.limit * MEGABYTE
  const retainedBytes = row.retained ?? 0
  return {
    slot, retainedBytes, maxRetainedBytes, health: healthOf(row.status, { retainedBytes, maxRetainedBytes }),
    isActive: row.active, lagBytes: Math.max(0, row.lag ?? 0), safeBytes: row.safe ?? undefined,
  }
}

function healthOf(status: string | null, { retainedBytes, maxRetainedBytes }: Pick<SlotStatus, 'retainedBytes' | 'maxRetainedBytes'>): SlotHealth {
  if (status === 'lost') return 'lost'
  if (maxRetainedBytes === undefined) return 'unbounded'
  return status === 'unreserved' || retainedBytes >= maxRetainedBytes / 2 ? 'filling' : 'ok'
}
