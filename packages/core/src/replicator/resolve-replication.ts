import * as v from 'valibot'
import type { TableRef } from '../dialect/table.ts'
import { configError, faultsBelow, toIssues } from '../errors/fault.ts'
import { shapeFaults } from '../errors/shape-issues.ts'
import { stableJson } from '../util/stable-json.ts'
import type { ReconcileOptions, Replication } from './replicator-options.ts'
import { replicationListFaults } from './replication-faults.ts'
import { replicationShape } from './replication-schema.ts'
import { parseSchedule, type Schedule } from './schedule.ts'

/** A replication with every default filled in. */
export interface ResolvedReplication {
  readonly name: string
  readonly source: Replication['source']
  readonly sourceTable: string
  readonly table: TableRef
  readonly targetTable: string
  readonly trackingColumn: string
  readonly mode: 'incremental' | 'full'
  readonly key: readonly string[] | undefined
  readonly columns: readonly string[] | undefined
  readonly types: NonNullable<Replication['types']>
  readonly syncIntervalMinutes: number | undefined
  readonly schedule: Schedule
  readonly isActive: boolean | undefined
  readonly nullTracking: 'error' | 'include' | 'exclude'
  readonly schemaPolicy: NonNullable<Replication['schemaPolicy']>
  readonly reconcile: Required<{ [Name in keyof ReconcileOptions]: number }> | undefined
  readonly softDeleteColumn: string | undefined
  readonly secondaryUniques: 'index' | 'unique' | 'none'
  readonly settleGraceMs: number
  /** What decides the copy's content, as text: another one means another copy. */
  readonly definition: string
}

const DEFAULT_INTERVAL_MINUTES = 60
const DEFAULT_RECONCILE = { intervalMinutes: 1440, budgetMs: 10_000 }
const DEFAULT_GRACE_MS = 250

/** Checks all of them against each other too. Errors: `CONFIG_INVALID` with every fault found. */
export function resolveReplications(replications: readonly Replication[], tablePrefix: string): readonly ResolvedReplication[] {
  const shape = shapeFaults(v.array(replicationShape), replications)
  const faults = shape.length > 0 ? shape : replicationListFaults(replications, tablePrefix)
  if (faults.length > 0) throw configError(toIssues(faultsBelow(['replications'], faults)))
  return replications.map(resolveReplication)
}

function resolveReplication(options: Replication): ResolvedReplication {
  const table = options.source.parseTable(options.sourceTable)
  const resolved = {
    name: options.name,
    source: options.source,
    sourceTable: options.sourceTable,
    table,
    targetTable: options.targetTable ?? table.name,
    trackingColumn: options.trackingColumn ?? 'id',
    mode: options.mode ?? 'incremental',
    key: options.key,
    columns: options.columns,
    types: options.types ?? {},
    syncIntervalMinutes: options.schedule === undefined ? options.syncIntervalMinutes ?? DEFAULT_INTERVAL_MINUTES : undefined,
    schedule: parseSchedule(options.schedule, options.syncIntervalMinutes ?? DEFAULT_INTERVAL_MINUTES),
    isActive: options.isActive,
    nullTracking: options.nullTracking ?? 'error',
    schemaPolicy: options.schemaPolicy ?? 'stop',
    reconcile: resolveReconcile(options),
    softDeleteColumn: options.softDelete?.column,
    secondaryUniques: options.secondaryUniques ?? 'index',
    settleGraceMs: options.settleGraceMs ?? DEFAULT_GRACE_MS,
  } as const
  return { ...resolved, definition: definitionOf(resolved) }
}

function resolveReconcile(options: Replication): ResolvedReplication['reconcile'] {
  if (options.reconcile === false || options.mode === 'full') return undefined
  return {
    intervalMinutes: options.reconcile?.intervalMinutes ?? DEFAULT_RECONCILE.intervalMinutes,
    budgetMs: options.reconcile?.budgetMs ?? DEFAULT_RECONCILE.budgetMs,
  }
}

function definitionOf(replication: Omit<ResolvedReplication, 'definition'>): string {
  const { table, mode, key, columns, types, softDeleteColumn, trackingColumn, targetTable, secondaryUniques } = replication
  // A full reload has no cursor: another tracking column changes nothing in it.
  const tracking = mode === 'full' ? undefined : trackingColumn
  return stableJson({ engine: replication.source.name, table, targetTable, mode, tracking, key, columns, types, softDeleteColumn, secondaryUniques })
}
