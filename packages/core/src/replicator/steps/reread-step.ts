import type { RowValues } from '../../change/value.ts'
import { TidemarkError } from '../../errors/tidemark-error.ts'
import type { ReplicationState, Reread } from '../replication-state.ts'
import type { SyncSession } from '../sync-session.ts'

/**
 * One page of a second reading in key order, upserted over the live copy. Equal rows cost no write, so what it changes
 * is exactly what was missing or different. Returns `blocked` when writers of the mark's time are still open, and `drifted`
 * when the page was read under another schema than the one known: by name, its values may be those of other columns.
 */
export async function rereadStep(session: SyncSession, signal: AbortSignal): Promise<'moved' | 'blocked' | 'drifted'> {
  const { context, sourceTable, columns, key, pageSize } = session
  const reread = requireReread(session.state)
  const marks = reread.mark === undefined ? [] : [reread.mark]
  const page = await context.source.readRows({
    table: sourceTable, columns, key, after: reread.after, limit: pageSize.rows, marks, signal,
  })
  if (page.schemaVersion !== undefined && page.schemaVersion !== session.schema.version) return 'drifted'
  if (page.settledMarks < marks.length) return 'blocked'
  session.observePage(page.rows)
  const next = page.isLast ? undefined : { ...reread, after: page.last ?? reread.after }
  await applyReread(session, { ...session.state, reread: next }, page.rows)
  session.progress('reread', session.rowsRead)
  return 'moved'
}

async function applyReread(session: SyncSession, state: ReplicationState, rows: readonly RowValues[]): Promise<void> {
  if (rows.length === 0) return session.save(state)
  const changed = await session.apply({ upserts: rows, deletes: [] }, state)
  // Known only once it is written, so the count is saved with the next checkpoint: a crash here may understate it.
  if (state.reconcileStartedAtMs !== undefined) session.state = { ...session.state, healedRows: state.healedRows + changed }
}

function requireReread(state: ReplicationState): Reread {
  if (state.reread === undefined) throw new TidemarkError('INTERNAL', 'A re-read step ran without a re-read.')
  return state.reread
}
