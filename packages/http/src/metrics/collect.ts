import type { LogRetention } from '@tidemark/core/adapter'
import type { ExportStatus, PeerStatus, ReplicationStatus, SourceStatus } from '@tidemark/core'
import type { HandlerContext } from '../handler-context.ts'
import type { Metric, Sample } from './exposition.ts'

/** Each is a read of the state store. One that is older and still under way is not a case to measure but to look at. */
const EXPORTS_LOOKED_AT = 100

/** What is measured, as it stands now. A capability that does not answer has no samples, and the others still do. */
export async function collectMetrics(context: HandlerContext): Promise<readonly Metric[]> {
  const { replicator, exporter, streams, propagator, feeds } = context
  const nowMs = Date.now()
  const [replications, exports, sources] = await Promise.all([
    orNone(replicator?.status()),
    orNone(exporter?.list({ limit: EXPORTS_LOOKED_AT })),
    Promise.all([...streams.values()].map((stream) => orNone(stream.listSources()))),
  ])
  return [
    ...replicationMetrics(replications, nowMs),
    ...syncMetrics(context),
    ...sourceMetrics(sources.flat()),
    ...peerMetrics(propagator?.status().peers ?? []),
    ...exportMetrics(exports),
    ...exportCounters(context),
    gauge('tidemark_feeds', 'Clients that follow changes over HTTP.', streams.size === 0 ? [] : [{ labels: {}, value: feeds.size }]),
  ]
}

async function orNone<T>(work: Promise<readonly T[]> | undefined): Promise<readonly T[]> {
  return await work?.catch(() => []) ?? []
}

function replicationMetrics(all: readonly ReplicationStatus[], nowMs: number): readonly Metric[] {
  const each = (valueOf: (status: ReplicationStatus) => number | undefined): readonly Sample[] => samplesOf(all, ({ name }) => ({ replication: name }), valueOf)
  return [
    gauge('tidemark_replication_active', 'Whether it is on the schedule.', each(({ isActive }) => Number(isActive))),
    gauge('tidemark_replication_failed', 'Whether its last sync has failed.', each(({ activity }) => Number(activity === 'failed'))),
    gauge('tidemark_replication_last_sync_age_seconds', 'Time since its last sync that succeeded.', each(({ lastSyncAtMs }) => (lastSyncAtMs === undefined ? undefined : secondsSince(lastSyncAtMs, nowMs)))),
    gauge('tidemark_replication_unsettled_seconds', 'Age of the oldest mark below which rows may still appear.', each(({ unsettled: { sinceMs } }) => (sinceMs === undefined ? 0 : secondsSince(sinceMs, nowMs)))),
  ]
}

function syncMetrics({ tally }: HandlerContext): readonly Metric[] {
  const all = [...tally.syncs]
  const outcomes = (['success', 'error', 'retry'] as const).flatMap((outcome) => all.map(([replication, counts]): Sample => ({ labels: { replication, outcome }, value: counts[outcome] })))
  return [
    counter('tidemark_syncs_total', 'Syncs that ended, and steps that were tried again, since the handler was made.', outcomes),
    counter('tidemark_sync_rows_total', 'Rows inserted, changed or deleted in the copies since the handler was made.', all.map(([replication, { rows }]) => ({ labels: { replication }, value: rows }))),
  ]
}

function sourceMetrics(all: readonly SourceStatus[]): readonly Metric[] {
  const subscribers = all.flatMap(({ name, subscribers: own }) => own.map((subscriber) => ({ source: name, ...subscriber })))
  const retained = (valueOf: (retention: LogRetention) => number | undefined): readonly Sample[] =>
    samplesOf(all, ({ name }) => ({ source: name }), ({ retention }) => (retention === undefined ? undefined : valueOf(retention)))
  const each = (valueOf: (one: (typeof subscribers)[number]) => number | undefined): readonly Sample[] =>
    samplesOf(subscribers, ({ source, id }) => ({ source, subscriber: id }), valueOf)
  return [
    gauge('tidemark_change_source_running', 'Whether the source of changes is open and answers.', samplesOf(all, ({ name }) => ({ source: name }), ({ state }) => Number(state === 'running'))),
    gauge('tidemark_change_source_retained_bytes', 'What the source keeps of its log for the stream, as of the last heartbeat.', retained((retention) => retention.retainedBytes)),
    gauge('tidemark_change_source_retained_bytes_max', 'What it may keep at most; none where nothing limits it.', retained((retention) => retention.maxRetainedBytes)),
    gauge('tidemark_subscriber_lag_events', 'Changes that a subscriber has not acknowledged.', each(({ lag }) => lag?.events)),
    gauge('tidemark_subscriber_lag_bytes', 'The same, in bytes of the log.', each(({ lag }) => lag?.bytes)),
    gauge('tidemark_subscriber_lag_seconds', 'The same, as time.', each(({ lag }) => (lag?.ms === undefined ? undefined : lag.ms / 1_000))),
  ]
}

function peerMetrics(all: readonly PeerStatus[]): readonly Metric[] {
  const each = (valueOf: (peer: PeerStatus) => number): readonly Sample[] => samplesOf(all, ({ name }) => ({ peer: name }), valueOf)
  return [
    gauge('tidemark_peer_lag_seconds', 'Since when a peer has not had everything.', each(({ behindMs }) => behindMs / 1_000)),
    gauge('tidemark_peer_failures', 'Messages in a row that could not be delivered.', each(({ failures }) => failures)),
    gauge('tidemark_peer_tables_not_live', 'Tables that a peer refuses, or is still copying.', each(({ tables }) => Object.keys(tables).length)),
    counter('tidemark_peer_changes_total', 'Changes that a peer has taken since the propagator was made.', each(({ sent }) => sent.changes)),
  ]
}

function exportMetrics(all: readonly ExportStatus[]): readonly Metric[] {
  const statuses = ['pending', 'processing', 'completed', 'failed', 'cancelled'] as const
  const running = all.filter(({ status }) => status === 'processing')
  return [
    gauge('tidemark_exports', `The newest ${EXPORTS_LOOKED_AT} exports that are known, by status.`, all.length === 0 ? [] : statuses.map((status) => ({ labels: { status }, value: all.filter((one) => one.status === status).length }))),
    gauge('tidemark_export_bytes', 'Bytes that an export under way has rendered.', samplesOf(running, ({ exportId }) => ({ export: exportId }), ({ totalBytesExported }) => totalBytesExported)),
  ]
}

function exportCounters({ exporter, tally }: HandlerContext): readonly Metric[] {
  const samples = exporter === undefined ? [] : Object.entries(tally.exports).map(([status, value]): Sample => ({ labels: { status }, value }))
  return [counter('tidemark_exports_ended_total', 'Exports that ended in this process, by how, since the handler was made.', samples)]
}

function samplesOf<T>(all: readonly T[], labelsOf: (one: T) => Sample['labels'], valueOf: (one: T) => number | undefined): readonly Sample[] {
  return all.flatMap((one) => {
    const value = valueOf(one)
    return value === undefined ? [] : [{ labels: labelsOf(one), value }]
  })
}

function gauge(name: Metric['name'], help: string, samples: readonly Sample[]): Metric {
  return { name, type: 'gauge', help, samples }
}

function counter(name: Metric['name'], help: string, samples: readonly Sample[]): Metric {
  return { name, type: 'counter', help, samples }
}

function secondsSince(atMs: number, nowMs: number): number {
  return Math.max(0, nowMs - atMs) / 1_000
}
