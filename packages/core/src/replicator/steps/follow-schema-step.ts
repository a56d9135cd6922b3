import { TidemarkError } from '../../errors/tidemark-error.ts'
import { copiedDrift } from '../copied-drift.ts'
import { newState, type KnownSchema, type ReplicationState } from '../replication-state.ts'
import { driftAction, type DriftAction, type SchemaDrift } from '../schema-drift.ts'
import { targetTableOf, type SyncSession } from '../sync-session.ts'
import { knownSchema } from './begin-step.ts'
import { describeSource } from './describe-source.ts'

/**
 * The source table is no longer what it was: compares, tells, and follows as the policy says. No row read under the new
 * schema has been applied yet. Errors: `SCHEMA_DRIFT`, `COLUMN_UNKNOWN` when a column the options name is gone.
 */
export async function followSchemaStep(session: SyncSession, signal: AbortSignal): Promise<void> {
  const { source, replication, emitter } = session.context
  const described = await describeSource(source, replication, { signal })
  const { current, drift } = copiedDrift(replication, session.schema, described)
  const action = driftAction(drift, replication.schemaPolicy)
  if (drift.changes.length > 0 || drift.keyChanged) {
    emitter.emit('schema:changed', { name: replication.name, changes: drift.changes, action })
  }
  await follow(session, { current: knownSchema(current), drift, action })
}

interface Following {
  readonly current: KnownSchema
  readonly drift: SchemaDrift
  readonly action: DriftAction
}

async function follow(session: SyncSession, following: Following): Promise<void> {
  const { current, action } = following
  const state = { ...session.state, schema: current }
  switch (action) {
    case 'none':
      return session.save(state)
    case 'alter':
      return alter(session, state)
    case 'alter-and-backfill':
      return alter(session, { ...state, reread: backfill(session.state) })
    case 'rebuild':
      // The copy in use stays until the new one is complete.
      return session.save({ ...newState(session.state.definition), verified: session.state.verified })
    case 'stop':
      throw new TidemarkError('SCHEMA_DRIFT', `The table "${session.context.replication.sourceTable}" has changed: ${describeDrift(following.drift)}.`)
    default:
      action satisfies never
  }
}

async function alter(session: SyncSession, state: ReplicationState): Promise<void> {
  const { target, replication } = session.context
  const table = targetTableOf(replication, state.schema ?? session.schema)
  await target.alterColumns(table, session.columns, session.commitOf(state))
  session.state = state
}

/** Rows that are already here have no value in the new columns. A re-read that waits for old writers keeps its mark. */
function backfill(state: ReplicationState): ReplicationState['reread'] {
  if (state.reread?.reason === 'late-commits') return { ...state.reread, after: undefined }
  return { reason: 'backfill', after: undefined, mark: undefined }
}

function describeDrift(drift: SchemaDrift): string {
  const parts = drift.changes.map((change) => `${change.kind} "${change.column}"`)
  return [...parts, ...(drift.keyChanged ? ['the key or the tracking column'] : [])].join(', ')
}
