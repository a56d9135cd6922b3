import { TidemarkError, type AbortOptions } from '@tidemark/core/adapter'
import type { SqlSession } from '../sql-session.ts'
import { formatLsn, parseLsn, type Lsn } from './lsn.ts'

/** A slot as the server has it. */
export interface SlotState {
  readonly confirmed: Lsn
  /** The server has thrown away what it stands for. */
  readonly isLost: boolean
  /** The process that reads it just now. */
  readonly activePid: number | undefined
  /** Whether standbys of the server keep it too. Always false before 17. */
  readonly failover: boolean
}

interface Row {
  readonly plugin: string
  readonly database: string
  readonly here: string
  readonly temporary: boolean
  readonly confirmed: string | null
  readonly status: string | null
  readonly pid: number | null
  readonly failover: boolean | null
}

const STATE = `SELECT pg_catalog.json_build_object('plugin', plugin, 'database', database, 'here', pg_catalog.current_database(), 'temporary', temporary,
  'confirmed', confirmed_flush_lsn::pg_catalog.text, 'status', wal_status, 'pid', active_pid,
  'failover', pg_catalog.to_jsonb(s) -> 'failover')
FROM pg_catalog.pg_replication_slots s WHERE slot_name = $1::pg_catalog.text`

/** `undefined` when there is none. Errors: `LOG_NOT_OWNED` for one of another kind. */
export async function readSlot(session: SqlSession, slot: string, options: AbortOptions): Promise<SlotState | undefined> {
  const [found] = await session.query({ text: STATE, parameters: [slot], signal: options.signal })
  if (found === undefined) return undefined
  // The statement above builds exactly this shape.
  const row = JSON.parse(found[0] ?? '') as Row
  if (row.plugin !== 'pgoutput' || row.temporary) throw notOurs(slot, `is ${row.temporary ? 'temporary' : 'of another plugin'}`)
  if (row.database !== row.here) throw notOurs(slot, 'is of another database')
  return { confirmed: row.confirmed === null ? 0n : parseLsn(row.confirmed), isLost: row.status === 'lost' || row.confirmed === null, activePid: row.pid ?? undefined, failover: row.failover ?? false }
}

export interface CreateSlotRequest extends AbortOptions {
  readonly slot: string
  /** Needs 17. */
  readonly failover: boolean
}

/** Waits until all transactions that write just now have ended. The publication must be there: what was written before it can't be decoded. */
export async function createSlot(session: SqlSession, { slot, failover, signal }: CreateSlotRequest): Promise<SlotState> {
  const text = `SELECT lsn::pg_catalog.text FROM pg_catalog.pg_create_logical_replication_slot($1::pg_catalog.text::pg_catalog.name, 'pgoutput'${failover ? ', failover => true' : ''})`
  const [row] = await session.query({ text, parameters: [slot], signal })
  return { confirmed: parseLsn(row?.[0]), isLost: false, activePid: undefined, failover }
}

/** Nothing where there is none. Errors: `LEASE_HELD` while somebody reads it. */
export async function dropSlot(session: SqlSession, slot: string, options: AbortOptions): Promise<void> {
  const text = 'SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM pg_catalog.pg_replication_slots WHERE slot_name = $1::pg_catalog.text'
  try {
    await session.query({ text, parameters: [slot], signal: options.signal })
  } catch (error) {
    if (!(error instanceof TidemarkError) || error.detail !== OBJECT_IN_USE) throw error
    throw slotInUse(slot, error)
  }
}

/** SQLSTATE. */
export const OBJECT_IN_USE = '55006'

export function slotInUse(slot: string, { detail, cause }: Pick<TidemarkError, 'detail' | 'cause'>): TidemarkError {
  return new TidemarkError('LEASE_HELD', `Another process reads the replication slot "${slot}".`, { detail, cause, remedy: 'Let one process serve a slot; it is taken when the other ends.' })
}

/** What the server says of a slot that is read by somebody at the moment, which passes where nobody stays at it; any other error as it is. */
export function orSlotBusy(error: unknown): unknown {
  if (!(error instanceof TidemarkError) || error.detail !== OBJECT_IN_USE) return error
  return new TidemarkError('SOURCE_BUSY', 'Another process reads the replication slot just now.', { detail: error.detail, cause: error.cause })
}

/** Ends the process of ours that still holds the slot. One that has taken it since has another number. */
export async function freeSlot(session: SqlSession, slot: string, pid: number, options: AbortOptions): Promise<boolean> {
  const text = `SELECT pg_catalog.pg_terminate_backend(active_pid) FROM pg_catalog.pg_replication_slots
    WHERE slot_name = $1::pg_catalog.text AND active_pid = $2::pg_catalog.text::pg_catalog.int4`
  return (await session.query({ text, parameters: [slot, String(pid)], signal: options.signal })).length > 0
}

const HEAD = 'SELECT pg_catalog.pg_current_wal_insert_lsn()::pg_catalog.text, pg_catalog.pg_current_wal_flush_lsn()::pg_catalog.text'
/** A transaction with a number: its commit has the log flushed, but is not waited for, as it has written nothing. */
const FLUSH = 'SELECT pg_catalog.pg_current_xact_id()'
/** The server writes its log every 200 ms at the latest, as it is set up by itself. */
const FLUSH_LOOK_MS = 10

/**
 * The log's end, at a boundary between two records and durable at the server: what is committed from now on is behind it, and it is not
 * taken back by a crash. The place up to which the log is flushed may lie inside of a record.
 */
export async function readHead(session: SqlSession, options: AbortOptions): Promise<Lsn> {
  const [row] = await session.query({ text: HEAD, signal: options.signal })
  const head = parseLsn(row?.[0])
  if (parseLsn(row?.[1]) >= head) return head
  await session.query({ text: FLUSH, signal: options.signal })
  while (await readFlushed(session, options) < head) await new Promise((resolve) => setTimeout(resolve, FLUSH_LOOK_MS))
  return head
}

/** A server that was set back would write other changes up to the place, which a reader takes for those that it had. Errors: `CHANGE_GAP`. */
export async function requireWritten(session: SqlSession, lsn: Lsn, options: AbortOptions): Promise<void> {
  if (await readFlushed(session, options) < lsn) throw gap('source-changed')
}

export async function readFlushed(session: SqlSession, options: AbortOptions): Promise<Lsn> {
  const [row] = await session.query({ text: HEAD, signal: options.signal })
  return parseLsn(row?.[1])
}

/** Why changes after a position are missing. */
export type GapReason = 'slot-missing' | 'slot-dropped' | 'slot-lost' | 'slot-ahead' | 'publication-changed' | 'source-changed'

const GAPS: Readonly<Record<GapReason, string>> = {
  'slot-missing': 'The replication slot was not there and was made anew: what was written in between is not kept.',
  'slot-dropped': 'The replication slot was dropped because it kept more of the log than `maxRetainedBytes` allows.',
  'slot-lost': 'The server has given up the replication slot: it kept more of the log than max_slot_wal_keep_size, or idle_replication_slot_timeout, allows.',
  'slot-ahead': 'The replication slot is ahead of the position: it was made anew, moved, or read by somebody else.',
  'publication-changed': 'The publication was dropped, made anew, or lost a table while the log was read: what was written meanwhile is not in the stream.',
  'source-changed': 'The position is of another server, timeline or slot, or the server was restored from a backup.',
}

export function gap(reason: GapReason, place?: { readonly position: Lsn; readonly confirmed: Lsn }): TidemarkError {
  const where = place === undefined ? '' : ` It begins at ${formatLsn(place.confirmed)}, ${place.confirmed - place.position} bytes later.`
  return new TidemarkError('CHANGE_GAP', `${GAPS[reason]}${where}`, { detail: reason })
}

function notOurs(slot: string, fault: string): TidemarkError {
  return new TidemarkError('LOG_NOT_OWNED', `The replication slot "${slot}" ${fault}.`, { detail: 'slot', remedy: 'Choose another `slot` name, or drop the existing slot.' })
}
