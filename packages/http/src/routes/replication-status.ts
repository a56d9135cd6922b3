import type { ReplicationStatus } from '@tidemark/core'
import * as v from 'valibot'
import { isoTimeOrNull } from '../answers/iso-time.ts'
import { jsonAnswer } from '../answers/json-answer.ts'
import type { SyncProgress } from '../metrics/tally.ts'
import { defineRoute, needed } from '../route.ts'
import { errorShape, isoTime, resultShape, wholeNumber } from './shapes.ts'

const configShape = v.object({
  name: v.string(),
  source_config: v.object({ address: v.string() }),
  source_table: v.string(), target_table: v.string(),
  sync_interval_minutes: v.nullable(v.number()), tracking_column: v.nullable(v.string()),
  last_sync_value: v.nullable(v.string()), last_sync_timestamp: v.nullable(isoTime),
  is_active: v.boolean(), is_running: v.boolean(),
  activity: v.picklist(['stopped', 'waiting', 'syncing', 'paused', 'failed']),
  phase: v.picklist(['new', 'loading', 'live']),
  progress: v.nullable(v.object({ phase: v.picklist(['load', 'poll', 'reread', 'sweep']), rows: wholeNumber, estimatedRows: v.optional(wholeNumber), durationMs: v.number() })),
  loadedRows: v.optional(wholeNumber),
  unsettled: v.object({ marks: wholeNumber, sinceMs: v.optional(v.number()) }),
  verifiedThrough: v.optional(v.string()), verifiedAtMs: v.optional(v.number()),
  lastSyncAtMs: v.optional(v.number()), nextSyncAtMs: v.optional(v.number()),
  lastResult: v.optional(resultShape), lastError: v.optional(errorShape),
})

export const statusRoute = defineRoute({
  method: 'GET', path: '/data-replication/status', scope: 'read', id: 'replicationStatus', head: true,
  summary: 'Every replication as it stands, without credentials',
  answers: { 200: { description: 'All of them, active or not.', schema: v.object({ configs: v.array(configShape) }) } },
  handle: async ({ context: { replicator, tally } }) => {
    const all = await needed(replicator, 'replicator').status()
    return jsonAnswer({ configs: all.map((status) => configOf(status, tally.progress.get(status.name))) })
  },
})

/** The names of the prior designs' table, and ours for what that had not. */
function configOf(status: ReplicationStatus, progress: SyncProgress | undefined): v.InferOutput<typeof configShape> {
  const { name, source, sourceTable, targetTable, trackingColumn, syncIntervalMinutes, isActive, lastSyncValue, ...own } = status
  return {
    name,
    source_config: { address: source },
    source_table: sourceTable,
    target_table: targetTable,
    sync_interval_minutes: syncIntervalMinutes ?? null,
    tracking_column: trackingColumn ?? null,
    last_sync_value: lastSyncValue ?? null,
    last_sync_timestamp: isoTimeOrNull(status.lastSyncAtMs),
    is_active: isActive,
    is_running: own.activity === 'waiting' || own.activity === 'syncing',
    progress: progress ?? null,
    ...own,
  }
}
