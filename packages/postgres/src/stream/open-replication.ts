import { TidemarkError, type AbortOptions } from '@tidemark/core/adapter'
import { bounded } from '../bounded.ts'
import { mapPostgresError } from '../errors.ts'
import type { PostgresInstance } from '../postgres-instance.ts'
import type { PostgresSession } from '../postgres-session.ts'
import { refusesParameters } from '../session-parameters.ts'
import { unavailable } from './server-facts.ts'

/** A connection to the server's log sender. `pid`: its process there. */
export interface ReplicationConnection {
  readonly instance: PostgresInstance
  readonly pid: number
}

/** Errors: `LOG_UNAVAILABLE`, `SOURCE_PERMISSION_DENIED`, and those of connecting. */
export async function openReplication(session: PostgresSession, options: AbortOptions): Promise<ReplicationConnection> {
  const instance = await session.openReplication(options)
  try {
    const [row] = await ask(instance, 'SELECT pg_catalog.pg_backend_pid()', { ...options, timeoutMs: session.queryTimeoutMs })
    return { instance, pid: Number(row?.[0]) }
  } catch (error) {
    instance.destroy()
    throw explain(mapPostgresError(error), instance.greeted)
  }
}

/** One simple query: a log sender knows no others. */
export async function ask(instance: PostgresInstance, text: string, bound: AbortOptions & { readonly timeoutMs: number }): Promise<readonly (readonly (string | null)[])[]> {
  return await bounded(instance.sql.unsafe(text).values(), bound)
}

function explain(error: TidemarkError, isGreeted: boolean): TidemarkError {
  if (error.detail === '53300') {
    return unavailable('max_wal_senders', 'The server has no log sender left.', 'Raise max_wal_senders and restart the server, or end a replication connection (see pg_stat_replication).')
  }
  if (error.code === 'SOURCE_AUTH_FAILED') {
    return new TidemarkError(error.code, 'The server refused a replication connection.', { detail: error.detail, cause: error.cause, remedy: 'Let the user in for replication: its database in pg_hba.conf, and the right REPLICATION.' })
  }
  if (!isGreeted && refusesParameters(error.detail)) {
    return unavailable('pooler', 'What answers is a pooler that passes no replication connection on.', 'Connect to the server itself.')
  }
  return error
}
