import type { RowPage } from '../../dialect/source.ts'
import { afterPage, eligibleMarks, isSameCursor, nextPageAfter } from '../settled-cursor.ts'
import type { SyncSession } from '../sync-session.ts'
import { refuseNulls } from './begin-step.ts'

export interface PollOutcome {
  /** Whether the pass has reached the table's end. */
  readonly isComplete: boolean
  /** The page was read under another schema than the one known; nothing of it was applied. */
  readonly hasDrifted: boolean
  readonly hasNullTracking: boolean
}

/** One page of the incremental pass, rows and cursor in one transaction. An idle table costs this one query. */
export async function pollStep(session: SyncSession, signal: AbortSignal): Promise<PollOutcome> {
  const page = await readPage(session, signal)
  if (page.schemaVersion !== undefined && page.schemaVersion !== session.schema.version) {
    return { isComplete: false, hasDrifted: true, hasNullTracking: page.hasNullTracking }
  }
  if (page.hasNullTracking) refuseNulls(session)
  await applyPage(session, page)
  if (page.cursorAhead) reportAhead(session)
  return { isComplete: page.isLast, hasDrifted: false, hasNullTracking: page.hasNullTracking }
}

function readPage(session: SyncSession, signal: AbortSignal): Promise<RowPage> {
  const { context, state, sourceTable, columns, key, pageSize } = session
  const { replication, runtime, source } = context
  return source.readRows({
    table: sourceTable,
    columns,
    key,
    tracking: replication.trackingColumn,
    after: nextPageAfter(state.cursor),
    limit: pageSize.rows,
    marks: eligibleMarks(state.cursor, runtime.now(), { graceMs: replication.settleGraceMs }),
    signal,
  })
}

async function applyPage(session: SyncSession, page: RowPage): Promise<void> {
  session.observePage(page.rows)
  const cursor = afterPage(session.state.cursor, { ...page, readAtMs: session.context.runtime.now() })
  const state = { ...session.state, cursor }
  if (page.rows.length > 0) await session.apply({ upserts: page.rows, deletes: [] }, state)
  else if (hasMoved(session.state.cursor, cursor)) await session.save(state)
  session.progress('poll', session.rowsRead)
}

/** A page that moves nothing costs no write of its own. */
function hasMoved(before: ReturnType<typeof afterPage>, after: ReturnType<typeof afterPage>): boolean {
  return !isSameCursor(before.settled, after.settled) || before.marks.length !== after.marks.length || before.pass !== after.pass
}

function reportAhead(session: SyncSession): void {
  const { emitter, replication } = session.context
  emitter.emit('cursor:ahead', {
    name: replication.name,
    remedy: `Rows newer than the cursor were deleted, or the source was restored. If it was restored, call resync("${replication.name}").`,
  })
}
