import { bounded, countdown } from './bounded.ts'
import type { SourceIdentity } from './connection-settings.ts'
import { MysqlLink } from './mysql-link.ts'
import { PLACE } from './server-facts.ts'

const KILL_TIMEOUT_MS = 2000
const NO_SUCH_THREAD = 1094

/** A thread of a server. The number alone may be another's on the next server behind the same address. */
export interface ServerThread {
  readonly id: number
  readonly place: string
}

/**
 * Ends what the server still does for a connection that is gone; without this, each retry of a slow statement would
 * leave another one running. A user may always kill its own threads, an innocent one too. Best effort, in the time that a
 * connection may take at most: a server that can't be reached now has its own limits. Never fails.
 */
export async function killThread(identity: SourceIdentity, thread: ServerThread): Promise<void> {
  const left = countdown(Math.min(KILL_TIMEOUT_MS, identity.connectTimeoutMs))
  try {
    const settings = await bounded(identity.settings(), { timeoutMs: left() })
    const link = await MysqlLink.open(settings, { connectTimeoutMs: left() })
    // Closing waits for nothing that this wait is for.
    await kill(link, thread, left).finally(() => link.destroy())
  } catch {
    // The thread has ended by itself, or the server is not there to ask.
  }
}

async function kill(link: MysqlLink, thread: ServerThread, left: () => number): Promise<void> {
  const [[place] = []] = await link.rows(`SELECT ${PLACE}`, { timeoutMs: left() })
  if (place === thread.place) await link.rows(`KILL ${thread.id}`, { timeoutMs: left(), expectedErrnos: [NO_SUCH_THREAD] })
}
