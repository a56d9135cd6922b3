import { setTimeout as delay } from 'node:timers/promises'
import type { Mark } from '@tidemark/core/adapter'
import { fenceSeconds } from './fence.ts'
import type { RunOptions } from './mysql-link.ts'
import type { Session } from './open-session.ts'

/** What the server's transactions were doing at a moment after the question was asked. */
export interface OpenTransactions {
  /** When the oldest open one began, in whole seconds of the server's clock; `undefined`: there is none. */
  readonly oldestSeconds: number | undefined
}

/**
 * `innodb_trx` is a copy that the server renews only when nobody has read it for 100 ms (`trx0i_s.cc`,
 * CACHE_MIN_IDLE_TIME_US), so under a busy monitor it can be any age. A transaction of our own, begun just before, tells: a
 * copy that lists it was made after it began. Transactions are told by their connection, so one connection does not
 * ask again before the copy that its last question saw is due for renewal.
 */
const RENEWAL_MS = 120
const TRIES = 4
const lastAskedMs = new WeakMap<Session, number>()

/**
 * Ages rather than times: `trx_started` is printed in the server's own zone, the session is in UTC. A negative age
 * (clocks set back) says nothing and counts as the oldest there can be.
 */
const AGE = `TIMESTAMPDIFF(SECOND, trx_started, CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM'))`
const OWN = 'trx_mysql_thread_id = CONNECTION_ID()'
const STATEMENT = `SELECT UNIX_TIMESTAMP(), SUM(${OWN}), MAX(IF(${OWN}, NULL, ${AGE})), MIN(IF(${OWN}, NULL, ${AGE})) FROM information_schema.innodb_trx`

/**
 * Needs PROCESS. Read it **before** the rows: a transaction that is gone by now is in every later read. `undefined` when the
 * server would not give a fresh list; then nothing is known.
 */
export async function readOpenTransactions(session: Session, options: RunOptions): Promise<OpenTransactions | undefined> {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    await waitForRenewal(session, options)
    const open = await readList(session, options)
    lastAskedMs.set(session, Date.now())
    if (open !== undefined) return open
  }
  return undefined
}

async function waitForRenewal(session: Session, options: RunOptions): Promise<void> {
  const waitMs = (lastAskedMs.get(session) ?? 0) + RENEWAL_MS - Date.now()
  // An abort shows in the next question to the server.
  if (waitMs > 0) await delay(waitMs, undefined, options.signal === undefined ? {} : { signal: options.signal }).catch(() => undefined)
}

async function readList(session: Session, options: RunOptions): Promise<OpenTransactions | undefined> {
  // Begins a transaction in InnoDB itself, under every isolation level; plain START TRANSACTION waits for a first row.
  await session.link.rows('START TRANSACTION WITH CONSISTENT SNAPSHOT', options)
  const [row] = await session.link.rows(STATEMENT, options)
  await session.link.rows('COMMIT', options)
  const [now = null, own = null, oldestAge = null, youngestAge = null] = row ?? []
  if (Number(own) !== 1) return undefined
  if (oldestAge === null) return { oldestSeconds: undefined }
  return { oldestSeconds: Number(youngestAge) < 0 ? 0 : Number(now) - Number(oldestAge) }
}

/** Whether every transaction that was open when the mark was made has ended. Times have whole seconds: equal ones may be older. */
export function hasEnded(mark: Mark, open: OpenTransactions): boolean {
  const markSeconds = fenceSeconds(mark.fence)
  if (markSeconds === undefined) return false
  return open.oldestSeconds === undefined || open.oldestSeconds > markSeconds
}
