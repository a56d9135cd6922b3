import type { Mark } from '@tidemark/core/adapter'
import { fenceSeconds } from './fence.ts'
import type { RunOptions } from './mysql-link.ts'
import type { Session } from './open-session.ts'

/** What the server's transactions are doing now. */
export interface OpenTransactions {
  readonly nowSeconds: number
  /** When the oldest open one began; `undefined`: there is none. */
  readonly oldestSeconds: number | undefined
}

/** `trx_started` has whole seconds, and the table is a copy that may be 100 ms old (`trx0i_s.cc`). */
const MIN_MARK_AGE_SECONDS = 2

/**
 * Ages rather than times: `trx_started` is printed in the server's own zone, the session is in UTC. A negative age
 * (clocks set back) says nothing and counts as the oldest there can be.
 */
const STATEMENT = `SELECT UNIX_TIMESTAMP(),
  MAX(TIMESTAMPDIFF(SECOND, trx_started, CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM'))),
  MIN(TIMESTAMPDIFF(SECOND, trx_started, CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM')))
  FROM information_schema.innodb_trx WHERE trx_mysql_thread_id <> CONNECTION_ID()`

/** Needs PROCESS. Read it **before** the rows: a transaction that is gone by now is in every later read. */
export async function readOpenTransactions(session: Session, options: RunOptions): Promise<OpenTransactions> {
  const [row] = await session.link.rows(STATEMENT, options)
  const nowSeconds = Number(row?.[0] ?? 0)
  const [, oldestAge = null, youngestAge = null] = row ?? []
  if (oldestAge === null) return { nowSeconds, oldestSeconds: undefined }
  return { nowSeconds, oldestSeconds: Number(youngestAge) < 0 ? 0 : nowSeconds - Number(oldestAge) }
}

/** Whether every transaction that was open when the mark was made has ended. */
export function hasEnded(mark: Mark, open: OpenTransactions): boolean {
  const markSeconds = fenceSeconds(mark.fence)
  if (markSeconds === undefined) return false
  // Nobody is writing at all: no clock is needed. Core's grace, which every mark has behind it, outlasts the copy's age.
  if (open.oldestSeconds === undefined) return true
  return open.nowSeconds - markSeconds >= MIN_MARK_AGE_SECONDS && open.oldestSeconds > markSeconds
}
