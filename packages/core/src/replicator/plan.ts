import type { AbortOptions, SourceConnection } from '../dialect/source.ts'
import type { IndexSchema, LogicalType, StorageClass, TableSchema } from '../dialect/table.ts'
import type { StoredReplication } from '../state/ledger.ts'
import { copiedDrift } from './copied-drift.ts'
import { decodeState } from './replication-state.ts'
import type { ResolvedReplication } from './resolve-replication.ts'
import { driftAction, type ColumnChange, type DriftAction } from './schema-drift.ts'
import { describeSource } from './steps/describe-source.ts'
import { copiedColumns, effectiveKey, targetTableOf } from './sync-session.ts'

export interface PlannedColumn {
  readonly name: string
  readonly sourceType: string
  readonly logicalType: LogicalType
  readonly storage: StorageClass
}

/** What the next sync of a replication would do. Nothing is written to make it. */
export interface ReplicationPlan {
  readonly name: string
  readonly sourceTable: string
  readonly targetTable: string
  /** `load` copies the table from the beginning, `resume-load` goes on with one cut short, `rebuild` copies it anew beside the old. */
  readonly action: 'load' | 'resume-load' | 'incremental' | 'full' | 'rebuild'
  readonly columns: readonly PlannedColumn[]
  readonly key: readonly string[]
  readonly indexes: readonly IndexSchema[]
  readonly estimatedRows: number | undefined
  readonly drift: { readonly changes: readonly ColumnChange[]; readonly action: DriftAction }
}

export async function planReplication(
  source: SourceConnection, context: { readonly replication: ResolvedReplication; readonly stored: StoredReplication | undefined }, options: AbortOptions,
): Promise<ReplicationPlan> {
  const { replication, stored } = context
  const schema = await describeSource(source, replication, options)
  const columns = copiedColumns(replication, schema)
  const drift = plannedDrift(context, schema)
  return {
    name: replication.name,
    sourceTable: replication.sourceTable,
    targetTable: replication.targetTable,
    action: drift.action === 'rebuild' ? 'rebuild' : actionOf(replication, stored),
    columns: columns.map(({ name, sourceType, logicalType, storage }) => ({ name, sourceType, logicalType, storage })),
    key: effectiveKey(replication, schema),
    indexes: targetTableOf(replication, schema).indexes,
    estimatedRows: schema.estimatedRows,
    drift,
  }
}

function actionOf(replication: ResolvedReplication, stored: StoredReplication | undefined): ReplicationPlan['action'] {
  if (replication.mode === 'full') return 'full'
  if (stored?.state === undefined) return 'load'
  const state = decodeState(stored.state)
  if (state.definition !== replication.definition) return 'rebuild'
  if (state.phase === 'live') return 'incremental'
  return state.load?.after === undefined ? 'load' : 'resume-load'
}

function plannedDrift(
  context: { readonly replication: ResolvedReplication; readonly stored: StoredReplication | undefined }, schema: TableSchema,
): ReplicationPlan['drift'] {
  const { replication, stored } = context
  const known = stored?.state === undefined ? undefined : decodeState(stored.state).schema
  if (known === undefined) return { changes: [], action: 'none' }
  const { drift } = copiedDrift(replication, known, schema)
  return { changes: drift.changes, action: driftAction(drift, replication.schemaPolicy) }
}
