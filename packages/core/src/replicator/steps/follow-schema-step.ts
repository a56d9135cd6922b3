import type { TableSchema } from '../../dialect/table.ts'
import { TidemarkError } from '../../errors/tidemark-error.ts'
import { newState, type KnownSchema, type ReplicationState } from '../replication-state.ts'
import { numberByName } from '../number-by-name.ts'
import { diffSchema, driftAction, type DriftAction, type SchemaDrift } from '../schema-drift.ts'
import { copiedColumns, effectiveKey, targetTableOf, type SyncSession } from '../sync-session.ts'
import { knownSchema } from './begin-step.ts'
import { describeSource } from './describe-source.ts'

/**
 * The source table is no longer what it was: compares, tells, and follows as the policy says. No row read under the new
 * schema has been applied yet. Errors: `SCHEMA_DRIFT`, `COLUMN_UNKNOWN` when a column the options name is gone.
 */
export async function followSchemaStep(session: SyncSession, signal: AbortSignal): Promise<void> {
  const { source, replication, emitter } = session.context
  const described = await describeSource(source, replication, { signal })
  const known = session.schema
  const current = replication.source.capabilities.keepsOrdinals ? described : numberByName(known.columns, described)
  const drift = diffSchema(copied(session, known), copied(session, current))
  const action = driftAction(drift, replication.schemaPolicy)
  if (drift.changes.length > 0 || drift.keyChanged) {
    emitter.emit('schema:changed', { name: replication.name, changes: drift.changes, action })
  }
  await follow(session, { current: knownSchema(current), drift, action })
}

function copied(session: SyncSession, schema: KnownSchema | TableSchema): Pick<TableSchema, 'columns' | 'key'> {
  const { replication } = session.context
  return { columns: copiedColumns(replication, schema), key: effectiveKey(replication, schema) }
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
  return [...parts, ...(drift.keyChanged ? ['the key'] : [])].join(', ')
}
