import { TidemarkError, type AbortOptions } from '@tidemark/core/adapter'
import { requireSupported } from '../check-result.ts'
import type { SqlSession } from '../sql-session.ts'

/** What a server says about whether and how it can stream its log. */
export interface ServerFacts {
  readonly major: number
  readonly systemId: string
  /** In hexadecimal. */
  readonly timeline: string
  readonly database: string
  readonly senderTimeoutMs: number
}

interface Answer extends ServerFacts {
  readonly walLevel: string
  readonly isStandby: boolean
  readonly user: string
  readonly mayReplicate: boolean
  readonly maxSlots: number
  readonly slots: number
  readonly hasSlot: boolean
}

/** The timeline of a standby can't be asked for so, and it is refused in any case. */
const FACTS = `SELECT pg_catalog.json_build_object(
  'major', pg_catalog.current_setting('server_version_num')::pg_catalog.int4 / 10000,
  'systemId', (SELECT system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system()),
  'timeline', CASE WHEN pg_catalog.pg_is_in_recovery() THEN '' ELSE pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8) END,
  'database', pg_catalog.current_database(),
  'senderTimeoutMs', (SELECT setting::pg_catalog.int4 FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'),
  'walLevel', pg_catalog.current_setting('wal_level'),
  'isStandby', pg_catalog.pg_is_in_recovery(),
  'user', CURRENT_USER,
  'mayReplicate', (SELECT rolreplication OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER),
  'maxSlots', pg_catalog.current_setting('max_replication_slots')::pg_catalog.int4,
  'slots', (SELECT count(*) FROM pg_catalog.pg_replication_slots),
  'hasSlot', EXISTS (SELECT 1 FROM pg_catalog.pg_replication_slots WHERE slot_name = $1::pg_catalog.text)
)`

/** Errors: `SERVER_UNSUPPORTED`, `LOG_UNAVAILABLE`, `SOURCE_PERMISSION_DENIED`, each with what mends it, before anything is made. */
export async function readServerFacts(session: SqlSession, slot: string, options: AbortOptions): Promise<ServerFacts> {
  const [row] = await session.query({ text: FACTS, parameters: [slot], signal: options.signal })
  // The statement above builds exactly this shape.
  const answer = JSON.parse(row?.[0] ?? '') as Answer
  // Over an executor no session was opened that would have looked.
  requireSupported(answer.major)
  if (answer.isStandby) throw unavailable('standby', 'The server is a standby.', 'Connect to the primary.')
  if (answer.walLevel !== 'logical') {
    throw unavailable('wal_level', `The server's wal_level is ${answer.walLevel}.`, 'As a superuser: ALTER SYSTEM SET wal_level = \'logical\'; then restart the server.')
  }
  if (!answer.mayReplicate) {
    throw new TidemarkError('SOURCE_PERMISSION_DENIED', 'The source user may not stream the log.', {
      detail: 'replication', remedy: `As a superuser: ALTER ROLE "${answer.user.replaceAll('"', '""')}" REPLICATION; on a hosted server grant the role that stands for it.`,
    })
  }
  if (!answer.hasSlot && answer.slots >= answer.maxSlots) {
    throw unavailable('max_replication_slots', `All ${answer.maxSlots} replication slots of the server are taken.`, 'Drop a slot that nobody needs (see pg_replication_slots), or raise max_replication_slots and restart the server.')
  }
  return answer
}

export function unavailable(detail: string, message: string, remedy: string): TidemarkError {
  return new TidemarkError('LOG_UNAVAILABLE', message, { detail, remedy })
}
