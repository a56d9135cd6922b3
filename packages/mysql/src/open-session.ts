import { bounded, countdown } from './bounded.ts'
import type { SourceIdentity } from './connection-settings.ts'
import { MAX_SORT_LENGTH } from './cursor-part.ts'
import type { ServerThread } from './kill-thread.ts'
import { MysqlLink } from './mysql-link.ts'
import { readServerFacts, type ServerFacts } from './server-facts.ts'

export interface Session {
  readonly link: MysqlLink
  readonly server: ServerFacts
}

export interface OpenSessionOptions {
  readonly signal?: AbortSignal | undefined
  /** Limit the server puts on a statement whose client has gone, in milliseconds; `undefined`: none, for streams. */
  readonly statementTimeoutMs: number | undefined
  /** Told of the thread that a statement was given up on. */
  readonly onAbandon?: ((thread: ServerThread) => void) | undefined
}

/** Time the server's own limit leaves to the client's, so that the client's error is the one that is seen. */
const SERVER_TIMEOUT_MARGIN_MS = 1000
const MAX_EXECUTION_TIME_SINCE = 50_708

/**
 * A connection whose session is pinned: the same value prints the same whatever the server's defaults are. All of it within
 * `connectTimeoutMs`: a server that takes a connection and then says nothing has not been connected to.
 */
export async function openSession(identity: SourceIdentity, options: OpenSessionOptions): Promise<Session> {
  const { signal } = options
  let place: string | undefined
  // A session that is not complete has run nothing that would last.
  const onAbandon = (id: number): void => place === undefined ? undefined : options.onAbandon?.({ id, place })
  const left = countdown(identity.connectTimeoutMs)
  const settings = await bounded(identity.settings(), { signal, timeoutMs: left() })
  const link = await MysqlLink.open(settings, { signal, connectTimeoutMs: left(), onAbandon })
  try {
    const server = await readServerFacts(link, { signal, timeoutMs: left() })
    for (const statement of pinning(server, options.statementTimeoutMs)) await link.rows(statement, { signal, timeoutMs: left() })
    place = server.place
    return { link, server }
  } catch (error) {
    link.destroy()
    throw error
  }
}

function pinning(server: ServerFacts, statementTimeoutMs: number | undefined): readonly string[] {
  return [
    // READ COMMITTED: a share lock then covers rows and not the gaps between, so no insert ever waits for a poll.
    'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY',
    'SET NAMES utf8mb4',
    `SET ${sessionVariables(server, statementTimeoutMs).join(', ')}`,
  ]
}

function sessionVariables(server: ServerFacts, statementTimeoutMs: number | undefined): readonly string[] {
  const variables = [
    'autocommit = 1',
    // TIMESTAMP is printed in the session's zone.
    'time_zone = \'+00:00\'',
    // Zero dates can be compared with, and a double quote stays a quote.
    'sql_mode = \'\'',
    'group_concat_max_len = 16777216',
    // How much of a value is sorted by; less than is known here would lose rows.
    `max_sort_length = ${MAX_SORT_LENGTH}`,
    // A stream's reader may pause for long: an hour instead of a minute until the server gives up.
    'net_write_timeout = 3600',
    // Only for servers without NOWAIT does this one matter: the shortest wait there is.
    'innodb_lock_wait_timeout = 1',
    // Waiting for ALTER TABLE; the default is a year.
    'lock_wait_timeout = 30',
  ]
  if (statementTimeoutMs === undefined) return variables
  const limitMs = statementTimeoutMs + SERVER_TIMEOUT_MARGIN_MS
  if (server.isMariaDb) return [...variables, `max_statement_time = ${limitMs / 1000}`]
  return server.versionNumber >= MAX_EXECUTION_TIME_SINCE ? [...variables, `max_execution_time = ${limitMs}`] : variables
}
