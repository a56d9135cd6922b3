import type { AbortOptions } from '@tidemark/core/adapter'
import type { SourceIdentity } from '../connection-settings.ts'
import type { ServerThread } from '../kill-thread.ts'
import { openSession, type Session } from '../open-session.ts'

/**
 * A session for statements that stay open while their reader does something else: the limits that servers put on statements and on
 * idle clients would end them, and a snapshot with them.
 */
export async function openExportSession(identity: SourceIdentity, options: AbortOptions & { readonly onAbandon: (thread: ServerThread) => void }): Promise<Session> {
  const session = await openSession(identity, { signal: options.signal, statementTimeoutMs: undefined, onAbandon: options.onAbandon })
  const { server, link } = session
  const unlimited = server.isMariaDb ? ', max_statement_time = 0' : server.versionNumber >= 50_708 ? ', max_execution_time = 0' : ''
  const limits = { signal: options.signal, timeoutMs: identity.connectTimeoutMs }
  await link.rows(`SET wait_timeout = 604800, sql_quote_show_create = 1${unlimited}`, limits)
  return session
}

/** One instant for all tables of engines with row versions, without a lock that a writer would meet. */
export async function beginSnapshot(session: Session, options: AbortOptions & { readonly timeoutMs: number }): Promise<string | undefined> {
  const { link, server } = session
  await link.rows('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ', options)
  await link.rows('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY', options)
  if (!server.isMariaDb) return undefined
  // MariaDB knows the place in its log at which the snapshot was taken. With MySQL it could only be had under a lock on all tables.
  const rows = await link.rows('SHOW STATUS LIKE \'binlog_snapshot_%\'', options)
  const values = new Map(rows.map(([name, value]) => [name?.toLowerCase(), value ?? '']))
  const file = values.get('binlog_snapshot_file') ?? ''
  return file === '' ? undefined : `${file}:${values.get('binlog_snapshot_position') ?? ''}`
}
