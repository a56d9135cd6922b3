import type { RowValues } from '../../change/value.ts'
import type { ColumnSchema } from '../../dialect/table.ts'
import { keyText } from '../../util/key-text.ts'
import type { SyncSession } from '../sync-session.ts'

/** Keys looked up at the source with one query. */
const SWEEP_ROWS = 1_000

/**
 * One page of the sweep for deleted rows: keys of the copy, in the copy's own order, looked up at the source. Going by
 * keys and not by ranges holds for every collation. The source is asked after the copy is read, so a key it does not
 * know has really gone; a row inserted meanwhile is not in the page.
 */
export async function sweepStep(session: SyncSession, signal: AbortSignal): Promise<void> {
  const { context, key, targetTable } = session
  const after = session.state.sweep?.after
  const keys = await context.target.readRows({ table: targetTable, columns: key, after, limit: SWEEP_ROWS, signal })
  const gone = keys.length === 0 ? [] : await missingAtSource(session, keys, signal)
  const isLast = keys.length < SWEEP_ROWS
  const healedRows = session.state.healedRows + gone.length
  const state = { ...session.state, healedRows, sweep: isLast ? undefined : { after: keys.at(-1) } }
  if (gone.length > 0) await session.apply({ upserts: [], deletes: gone }, state)
  else await session.save(state)
  session.rowsRead += keys.length
  session.progress('sweep', session.rowsRead)
  if (isLast) await finishReconcile(session)
}

async function missingAtSource(session: SyncSession, keys: readonly RowValues[], signal: AbortSignal): Promise<readonly RowValues[]> {
  const { context, sourceTable, key } = session
  const columns = key.flatMap((name): readonly ColumnSchema[] => session.columns.filter((column) => column.name === name))
  const present = await context.source.readRowsByKey({ table: sourceTable, columns, key, keys, signal })
  const known = new Set(present.map(keyText))
  return keys.filter((row) => !known.has(keyText(row)))
}

async function finishReconcile(session: SyncSession): Promise<void> {
  const { context, state } = session
  const atMs = context.runtime.now()
  const healedRows = state.healedRows
  const throughTracking = state.cursor.settled?.tracking
  const startedAtMs = state.reconcileStartedAtMs ?? atMs
  await session.save({ ...state, verified: { throughTracking, atMs }, reconcileStartedAtMs: undefined, reconciledAtMs: atMs, healedRows: 0 })
  const { name } = context.replication
  if (healedRows > 0) context.emitter.emit('drift:found', { name, rows: healedRows })
  context.emitter.emit('reconcile:success', { name, healedRows, verifiedThrough: throughTracking, durationMs: atMs - startedAtMs })
}
