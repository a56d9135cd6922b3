import { bounded, countdown } from '../bounded.ts'
import type { SourceIdentity } from '../connection-settings.ts'
import { MysqlLink } from '../mysql-link.ts'
import type { Session } from '../open-session.ts'
import { PLACE } from '../server-facts.ts'

const NO_SUCH_THREAD = 1094

/** Ends the statement that a session is at, and nothing else of it. Should this fail, its rows are read to the end instead. */
export async function interruptStatement(identity: SourceIdentity, { link: busy, server }: Session): Promise<void> {
  const left = countdown(identity.connectTimeoutMs)
  const { threadId } = busy
  if (threadId === null) return
  try {
    const link = await MysqlLink.open(await bounded(identity.settings(), { timeoutMs: left() }), { connectTimeoutMs: left() })
    try {
      const [[place] = []] = await link.rows(`SELECT ${PLACE}`, { timeoutMs: left() })
      if (place === server.place) await link.rows(`KILL QUERY ${threadId}`, { timeoutMs: left(), expectedErrnos: [NO_SUCH_THREAD] })
    } finally {
      await link.close()
    }
  } catch {
    // The scan goes on and is read to its end; the connection that matters is in order either way.
  }
}
