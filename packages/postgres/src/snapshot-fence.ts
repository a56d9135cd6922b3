import { TidemarkError } from '@tidemark/core/adapter'
import type { Mark } from '@tidemark/core/adapter'

/** SQL for a fence: the current snapshot as `xmin:xmax:xip_list` of 64-bit ids (manual, 9.27.8). Works on a standby. */
export const FENCE_EXPRESSION = 'pg_catalog.pg_current_snapshot()::pg_catalog.text'

/**
 * What a snapshot knew. Every transaction below `xmin` had ended; none from `xmax` on had begun.
 *
 * A row below a mark's cursor can only come from a transaction that was open when the mark was read, so with an id
 * below the mark's `xmax`. A snapshot whose `xmin` has reached it sees all of those.
 */
interface Snapshot {
  readonly xmin: bigint
  readonly xmax: bigint
}

/** Errors: `STATE_CORRUPT` for what is no fence of this source. */
function parseFence(fence: string): Snapshot {
  const match = /^(\d{1,20}):(\d{1,20})(?::[\d,]*)?$/.exec(fence)
  if (match === null) throw new TidemarkError('STATE_CORRUPT', 'A stored mark holds no snapshot of PostgreSQL.')
  return { xmin: BigInt(match[1] ?? ''), xmax: BigInt(match[2] ?? '') }
}

/** Keeps what settling needs and leaves the list of open transactions, which can be long, behind. */
export function shortFence(snapshot: string): string {
  const { xmin, xmax } = parseFence(snapshot)
  return `${xmin}:${xmax}`
}

/**
 * Whether a read under `fence` saw all that was open at the mark. Errors: `SOURCE_REWOUND` when the mark comes from a
 * future of this server: transaction ids only grow, unless a backup was restored or another server answers.
 */
export function settles(fence: string, mark: Pick<Mark, 'fence'>): boolean {
  const now = parseFence(fence)
  const then = parseFence(mark.fence)
  if (then.xmax > now.xmax) throw new TidemarkError('SOURCE_REWOUND', 'The source\'s transaction counter is below one it had before.')
  return then.xmax <= now.xmin
}

/** How many marks, from the oldest, a read under `fence` settles. All are looked at, so that a rewind is never missed. */
export function countSettled(fence: string, marks: readonly Mark[]): number {
  const settled = marks.map((mark) => settles(fence, mark))
  const firstOpen = settled.indexOf(false)
  return firstOpen === -1 ? settled.length : firstOpen
}
