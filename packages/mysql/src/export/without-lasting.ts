import type { RunOptions } from '../mysql-link.ts'
import type { Session } from '../open-session.ts'

const ENTER = 'SAVEPOINT tidemark'
const LEAVE = 'ROLLBACK TO SAVEPOINT tidemark'

/**
 * From its first statement over a table on, a transaction keeps others from altering it, and who waits for that makes all others
 * wait. Going back to a savepoint lets go of it and keeps the snapshot: on MySQL. MariaDB with its log on keeps the lock until the snapshot
 * ends, so there a table can't be altered from the beginning of its copy on; writes of rows never wait.
 */
export async function withoutLasting<T>(session: Session, options: RunOptions, read: () => Promise<T>): Promise<T> {
  await enterTable(session, options)
  const result = await read()
  await leaveTable(session, options)
  return result
}

export async function enterTable({ link }: Session, options: RunOptions): Promise<void> {
  await link.rows(ENTER, options)
}

export async function leaveTable({ link }: Session, options: RunOptions): Promise<void> {
  await link.rows(LEAVE, options)
}
