import { bounded, countdown } from './bounded.ts'
import type { SourceIdentity } from './connection-settings.ts'
import { MysqlLink } from './mysql-link.ts'

const KILL_TIMEOUT_MS = 2000
const NO_SUCH_THREAD = 1094

/**
 * Ends what the server still does for a connection that is gone; without this, each retry of a slow statement would
 * leave another one running. A user may always kill its own threads. Best effort, in the time that a connection may take at
 * most: a server that can't be reached now has its own limits. Never fails.
 */
export async function killThread(identity: SourceIdentity, threadId: number): Promise<void> {
  const left = countdown(Math.min(KILL_TIMEOUT_MS, identity.connectTimeoutMs))
  try {
    const settings = await bounded(identity.settings(), { timeoutMs: left() })
    const link = await MysqlLink.open(settings, { connectTimeoutMs: left() })
    // Closing waits for nothing that this wait is for.
    await link.rows(`KILL ${threadId}`, { timeoutMs: left(), expectedErrnos: [NO_SUCH_THREAD] }).finally(() => link.destroy())
  } catch {
    // The thread has ended by itself, or the server is not there to ask.
  }
}
