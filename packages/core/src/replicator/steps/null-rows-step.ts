import type { Cursor } from '../../dialect/cursor.ts'
import type { SyncSession } from '../sync-session.ts'

/** Rows whose tracking value is NULL have no place in the cursor's order: all of them are read at every sync. */
export async function nullRowsStep(session: SyncSession, after: Cursor | undefined, signal: AbortSignal): Promise<{ readonly after: Cursor | undefined; readonly isLast: boolean }> {
  const { context, sourceTable, columns, key, pageSize } = session
  const page = await context.source.readRows({
    table: sourceTable, columns, key, tracking: context.replication.trackingColumn, nullTracking: true, after, limit: pageSize.rows, signal,
  })
  session.observePage(page.rows)
  if (page.rows.length > 0) await session.apply({ upserts: page.rows, deletes: [] }, session.state)
  return { after: page.last ?? after, isLast: page.isLast }
}
