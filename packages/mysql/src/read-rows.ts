import { TidemarkError, type Cursor, type ReadRowsRequest, type RowPage } from '@tidemark/core/adapter'
import { makeFence, type ProofKind } from './fence.ts'
import type { LockedWindow, LockedWindows } from './locked-window.ts'
import type { RunOptions } from './mysql-link.ts'
import { hasEnded, readOpenTransactions } from './open-transactions.ts'
import type { Session } from './open-session.ts'
import { orderingOf } from './ordering.ts'
import { planPage, readPage, type PagePlan } from './page-query.ts'
import { refuseTruncated } from './refuse-truncated.ts'
import type { ProofKinds } from './proof.ts'

/** What a connection remembers between pages. */
export interface ProofMemory {
  readonly kinds: ProofKinds
  readonly windows: LockedWindows
}

/** What is known about the marks before the page itself is read. */
interface Proof {
  readonly kind: ProofKind
  readonly settledMarks: number
  readonly window?: LockedWindow | undefined
}

/**
 * One statement when no mark waits, which is what an idle poll costs. With marks the proof comes first and the rows
 * in or after it, never before: what commits between a read and its proof would be lost.
 */
export async function readRows(session: Session, memory: ProofMemory, request: ReadRowsRequest & RunOptions): Promise<RowPage> {
  if (!Number.isSafeInteger(request.limit) || request.limit < 1) throw new TypeError('limit is a whole number above 0')
  const ordering = orderingOf(request.table, request.key, request.nullTracking === true ? undefined : request.tracking)
  const plan = planPage(request, ordering, request.timeoutMs)
  const { signal, timeoutMs, after } = request
  await refuseTruncated(session, ordering, { table: request.table.ref, after, signal, timeoutMs })
  const proof = await prove(session, memory, plan)
  const { window } = proof
  const room = request.limit - (window?.rows.length ?? 0)
  const page = await readPage(session, plan, { after: restAfter(request, window), limit: room, signal, timeoutMs })
  // The server became a copy, or ceased to be one, and what was proved may have been proved by the wrong kind.
  const hasTurned = page.head.readOnly !== session.server.readOnly
  if (hasTurned) session.link.destroy()
  const rows = window === undefined ? page.rows : [...window.rows, ...page.rows]
  if (rows.length > request.limit) throw new TidemarkError('SOURCE_CORRUPT_RESULT', 'A page of the source has too many rows.')
  return {
    rows,
    last: page.last ?? window?.last,
    fence: makeFence(proof.kind, page.head.serverSeconds),
    settledMarks: hasTurned ? 0 : proof.settledMarks,
    isLast: rows.length < request.limit,
    hasNullTracking: page.head.hasNullTracking,
    cursorAhead: page.head.cursorAhead,
    schemaVersion: page.head.version,
  }
}

/** Both bounds: which of the two is higher is the server's to say. */
function restAfter(request: ReadRowsRequest, window: LockedWindow | undefined): readonly Cursor[] {
  return [request.after, window === undefined ? undefined : window.upTo ?? window.last].filter((cursor) => cursor !== undefined)
}

async function prove(session: Session, memory: ProofMemory, plan: PagePlan): Promise<Proof> {
  const { request } = plan
  const { table, marks = [] } = request
  const options: RunOptions = { signal: request.signal, timeoutMs: plan.timeoutMs }
  const kind = await memory.kinds.of(session, table, options)
  if (marks.length === 0) return { kind, settledMarks: 0 }
  if (kind !== 'locks') return proveWithoutLocks(session, kind, { marks, options })
  const outcome = await memory.windows.read(session, plan, options)
  switch (outcome.kind) {
    case 'granted':
      return { kind, settledMarks: outcome.window.settledMarks, window: outcome.window }
    case 'refused':
      return { kind, settledMarks: 0 }
    case 'unusable':
      return proveWithoutLocks(session, await memory.kinds.withoutLocks(session, table, options), { marks, options })
    default:
      return outcome satisfies never
  }
}

interface MarksToProve {
  readonly marks: NonNullable<ReadRowsRequest['marks']>
  readonly options: RunOptions
}

async function proveWithoutLocks(session: Session, kind: ProofKind, request: MarksToProve): Promise<Proof> {
  const { marks, options } = request
  // A declared wait: core offers a mark only when it is over.
  if (kind === 'grace') return { kind, settledMarks: marks.length }
  const open = await readOpenTransactions(session, options)
  if (open === undefined) return { kind, settledMarks: 0 }
  const firstWaiting = marks.findIndex((mark) => !hasEnded(mark, open))
  return { kind, settledMarks: firstWaiting === -1 ? marks.length : firstWaiting }
}
