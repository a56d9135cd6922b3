import type { TableSchema } from '../../dialect/table.ts'
import { TidemarkError } from '../../errors/tidemark-error.ts'
import { newState, type KnownSchema, type LoadProgress } from '../replication-state.ts'
import { settledAt } from '../settled-cursor.ts'
import type { SyncSession } from '../sync-session.ts'
import { describeSource } from './describe-source.ts'

/**
 * Decides how the copy is made and writes that down before the first row is read: above all the table's end as it is
 * now, because what commits during the load is the business of the incremental sync that follows it.
 */
export async function beginStep(session: SyncSession, signal: AbortSignal): Promise<void> {
  const { source, replication } = session.context
  const schema = await describeSource(source, replication, { signal })
  await requireOwnTarget(session)
  const start = replication.mode === 'full' ? undefined : await readStart(session, schema, signal)
  const load: LoadProgress = { after: undefined, rows: 0, start, isSettled: true, estimatedRows: schema.estimatedRows }
  session.estimatedRows = schema.estimatedRows
  await session.save({
    ...newState(replication.definition),
    verified: session.state.verified,
    phase: 'loading',
    schema: knownSchema(schema),
    load,
    cursor: settledAt(start?.cursor),
  })
}

export function knownSchema(schema: TableSchema): KnownSchema {
  const { version, kind, columns, key, indexes } = schema
  return { version, kind, columns, key, indexes }
}

async function requireOwnTarget(session: SyncSession): Promise<void> {
  const { target, replication } = session.context
  if (await target.inspectTable(replication.targetTable) === 'foreign') {
    throw new TidemarkError('TARGET_NOT_OWNED', `The target already has a table or view "${replication.targetTable}" that Tidemark did not make.`)
  }
}

async function readStart(session: SyncSession, schema: TableSchema, signal: AbortSignal): Promise<LoadProgress['start']> {
  const { source, replication, runtime } = session.context
  const key = replication.key ?? schema.key
  const mark = await source.readHighMark({ table: schema, key, tracking: replication.trackingColumn, signal })
  if (mark.hasNullTracking) refuseNulls(session)
  return mark.cursor === undefined ? undefined : { cursor: mark.cursor, fence: mark.fence, readAtMs: runtime.now() }
}

/** Errors: `TRACKING_NULLS`, unless the policy says otherwise. */
export function refuseNulls(session: SyncSession): void {
  const { replication } = session.context
  if (replication.nullTracking !== 'error') return
  throw new TidemarkError('TRACKING_NULLS', `Rows of "${replication.sourceTable}" have no value in "${replication.trackingColumn}".`)
}
