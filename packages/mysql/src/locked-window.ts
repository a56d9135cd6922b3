import type { Cursor, Mark, RowValues } from '@tidemark/core/adapter'
import { errnoOf } from './errors.ts'
import type { RunOptions } from './mysql-link.ts'
import type { Session } from './open-session.ts'
import { fitsOrdering } from './ordering.ts'
import { readLocked, type PagePlan } from './page-query.ts'

/** Rows read under locks, and what that proved. */
export interface LockedWindow {
  readonly rows: readonly RowValues[]
  readonly last: Cursor | undefined
  readonly settledMarks: number
  /** The window's end: rows behind it are still to be read. `undefined`: behind the last row. */
  readonly upTo: Cursor | undefined
}

export type LockOutcome =
  | { readonly kind: 'granted'; readonly window: LockedWindow }
  /** A writer holds a row: not settled yet. */
  | { readonly kind: 'refused' }
  /** Locks can't be had here at all. */
  | { readonly kind: 'unusable' }

const LOCK_WAIT_TIMEOUT = 1205
const DEADLOCK = 1213
const LOCK_NOWAIT = 3572
export const REFUSALS = [LOCK_WAIT_TIMEOUT, DEADLOCK, LOCK_NOWAIT]

/**
 * No privilege (MySQL 8.0 before .22 wants more than SELECT), a read-only engine or transaction, a statement the
 * server does not allow here.
 */
export const UNUSABLE = [1015, 1044, 1142, 1143, 1227, 1235, 1290, 1370, 1792, 1836]

/**
 * Settling by share locks, without waiting.
 *
 * Claim: when the locked read of (after, m] is granted, no transaction that was open when mark m was made can still
 * bring a row into it. A transaction that has written a row there holds an exclusive lock on it until it ends: on the
 * clustered row, and by implication on each index entry it has made or delete-marked. The locked read meets every entry
 * of the range, also those no snapshot shows yet, and asks for a share lock on each; a single exclusive lock refuses
 * it (NOWAIT, or a wait of one second on servers without). So granted means that all writers of the range have
 * ended, and the rows of the same read are their outcome. It is one statement under READ COMMITTED and autocommit: it
 * locks rows and no gaps, and lets go of them when it ends.
 *
 * What it can't see is a transaction that has drawn a value and not yet written the row. Core never offers a mark
 * younger than its grace, which is for that moment.
 *
 * The newest mark first, for it settles all; when that is refused, older ones, whose windows end below the writer.
 */
export class LockedWindows {
  /** Which mark the last try on a server without NOWAIT was for, and whether it was granted. */
  #lastTry: { readonly index: number; readonly granted: boolean } | undefined

  async read(session: Session, plan: PagePlan, options: RunOptions): Promise<LockOutcome> {
    const marks = plan.request.marks ?? []
    const isBounded = marks.every((mark) => fitsOrdering(plan.ordering, mark.cursor)) && plan.request.nullTracking !== true
    // Marks of another order bound nothing here: the whole page is locked, and proves or fails for all of them.
    const tries = isBounded ? this.#tries(session, marks.length) : [marks.length - 1]
    for (const index of tries) {
      const outcome = await tryWindow(session, plan, { ...options, settles: index + 1, upTo: isBounded ? marks[index]?.cursor : undefined })
      this.#lastTry = { index, granted: outcome.kind === 'granted' }
      if (outcome.kind !== 'refused') return outcome
    }
    return { kind: 'refused' }
  }

  #tries(session: Session, count: number): readonly number[] {
    const newest = count - 1
    if (!session.server.waitsForLocks) return [...new Set([newest, Math.floor(newest / 2), 0])]
    // A refusal costs a second, so one try for a page: lower after a refusal, from the top after success.
    const last = this.#lastTry
    return [last === undefined || last.granted ? newest : Math.min(newest, Math.floor(last.index / 2))]
  }
}

interface WindowTry extends RunOptions {
  readonly settles: number
  readonly upTo: Mark['cursor'] | undefined
}

async function tryWindow(session: Session, plan: PagePlan, attempt: WindowTry): Promise<LockOutcome> {
  const { after, limit } = plan.request
  const range = { after: after === undefined ? [] : [after], upTo: attempt.upTo, limit }
  try {
    const slice = await readLocked(session, plan, { ...range, ...attempt, expectedErrnos: [...REFUSALS, ...UNUSABLE] })
    return { kind: 'granted', window: { ...slice, settledMarks: attempt.settles, upTo: attempt.upTo } }
  } catch (error) {
    const errno = errnoOf(error)
    if (errno !== undefined && REFUSALS.includes(errno)) return { kind: 'refused' }
    if (errno !== undefined && UNUSABLE.includes(errno)) return { kind: 'unusable' }
    throw error
  }
}
