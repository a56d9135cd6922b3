import type { SourceIdentity } from './connection-settings.ts'
import { MysqlLink } from './mysql-link.ts'

const KILL_TIMEOUT_MS = 2000
const NO_SUCH_THREAD = 1094

/**
 * Ends what the server still does for a connection that is gone; without this, each retry of a slow statement would
 * leave another one running. A user may always kill its own threads. Best effort: a server that can't be reached now has
 * its own limits. Never fails.
 */
export async function killThread(identity: SourceIdentity, threadId: number): Promise<void> {
  try {
    const connectTimeoutMs = Math.min(KILL_TIMEOUT_MS, identity.connectTimeoutMs)
    const link = await MysqlLink.open(await identity.settings(), { connectTimeoutMs })
    await link.rows(`KILL ${threadId}`, { timeoutMs: KILL_TIMEOUT_MS, expectedErrnos: [NO_SUCH_THREAD] }).finally(() => link.close())
  } catch {
    // The thread has ended by itself, or the server is not there to ask.
  }
}
