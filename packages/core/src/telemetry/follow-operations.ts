import type { ChangeStream } from '../change-stream/change-stream.ts'
import type { ErrorReport } from '../errors/tidemark-error.ts'
import type { Exporter } from '../exporter/exporter.ts'
import type { Importer } from '../importer/importer.ts'
import type { Propagator } from '../propagator/propagator.ts'
import type { Replicator } from '../replicator/replicator.ts'
import type { Attributes, OperationSink } from './operation-sink.ts'

/** What is listened to. */
export interface FollowedCapabilities {
  readonly replicator?: Pick<Replicator, 'on'> | undefined
  /** Their deliveries to handlers of `subscribe`; who loops over `live()` knows itself when a batch comes and goes. */
  readonly streams?: readonly Pick<ChangeStream, 'on'>[] | undefined
  readonly exporter?: Pick<Exporter, 'on'> | undefined
  readonly importer?: Pick<Importer, 'on'> | undefined
  readonly propagator?: Pick<Propagator, 'on'> | undefined
}

/** Tells a sink of syncs, deliveries, exports, imports and propagation, by the events of capabilities. Returns what ends it. */
export function followOperations({ replicator, streams, exporter, importer, propagator }: FollowedCapabilities, sink: OperationSink): () => void {
  const unsubscribe = [
    ...followSyncs(sink, replicator), ...(streams ?? []).flatMap((stream, index) => followDeliveries(sink, stream, index)),
    ...followExports(sink, exporter), ...followImports(sink, importer), ...followPeers(sink, propagator),
  ]
  return () => {
    for (const stop of unsubscribe) stop()
  }
}

function followSyncs(sink: OperationSink, replicator: FollowedCapabilities['replicator']): readonly (() => void)[] {
  if (replicator === undefined) return []
  const key = (name: string): string => `sync ${name}`
  return [
    replicator.on('sync:start', ({ name }) => sink.begin(key(name), 'sync', { 'tidemark.replication': name })),
    replicator.on('sync:progress', ({ name, phase, rows }) => sink.event(key(name), 'slice', { 'tidemark.phase': phase, 'tidemark.rows': rows })),
    replicator.on('sync:retry', ({ name, error, attempt }) => sink.event(key(name), 'retry', retryAttributes(error, attempt))),
    replicator.on('sync:success', ({ name, rows, rowsRead }) => sink.end(key(name), { 'tidemark.rows': rows, 'tidemark.rows_read': rowsRead })),
    replicator.on('sync:error', ({ name, error }) => sink.fail(key(name), error)),
    replicator.on('sync:skipped', ({ name }) => sink.end(key(name), { 'tidemark.skipped': true })),
  ]
}

function followDeliveries(sink: OperationSink, stream: Pick<ChangeStream, 'on'>, index: number): readonly (() => void)[] {
  const key = (source: string, subscriber: string): string => `deliver ${index} ${source} ${subscriber}`
  return [
    stream.on('delivery', ({ source, subscriber, phase, events, commit, error }) => {
      if (phase === 'begun') sink.begin(key(source, subscriber), 'deliver', { 'tidemark.source': source, 'tidemark.subscriber': subscriber, 'tidemark.changes': events, 'tidemark.commit': commit })
      else if (error === undefined) sink.end(key(source, subscriber), {})
      else sink.fail(key(source, subscriber), error)
    }),
    stream.on('error', ({ source, subscriber, error, attempt, delayMs }) => {
      if (subscriber !== undefined && delayMs !== undefined) sink.event(key(source, subscriber), 'retry', retryAttributes(error, attempt))
    }),
  ]
}

function followExports(sink: OperationSink, exporter: FollowedCapabilities['exporter']): readonly (() => void)[] {
  if (exporter === undefined) return []
  const key = (id: string): string => `export ${id}`
  // Small ones end in the step that began them, and the status is told after it; large ones are taken up by another process.
  const begin = (id: string): void => sink.begin(key(id), 'export', { 'tidemark.export': id })
  return [
    exporter.on('export:view', ({ id, consistency, attempt, tables }) => {
      begin(id)
      sink.event(key(id), 'view', { 'tidemark.consistency': consistency, 'tidemark.attempt': attempt, 'tidemark.tables': tables })
    }),
    exporter.on('export:status', ({ id, status, error }) => {
      begin(id)
      if (status === 'failed' && error !== undefined) sink.fail(key(id), error)
      else if (status === 'completed' || status === 'failed' || status === 'cancelled') sink.end(key(id), { 'tidemark.status': status })
    }),
    exporter.on('export:part', ({ id, bytes, rows }) => {
      begin(id)
      sink.event(key(id), 'part', { 'tidemark.bytes': bytes, 'tidemark.rows': rows })
    }),
    exporter.on('export:retry', ({ id, error, attempt }) => {
      begin(id)
      sink.event(key(id), 'retry', retryAttributes(error, attempt))
    }),
  ]
}

function followImports(sink: OperationSink, importer: FollowedCapabilities['importer']): readonly (() => void)[] {
  if (importer === undefined) return []
  const key = (id: string): string => `import ${id}`
  return [
    importer.on('import:start', ({ importId }) => sink.begin(key(importId), 'import', { 'tidemark.import': importId })),
    importer.on('import:progress', ({ importId, rows, bytes }) => sink.event(key(importId), 'slice', { 'tidemark.rows': rows, 'tidemark.bytes': bytes })),
    importer.on('import:retry', ({ importId, error, attempt }) => sink.event(key(importId), 'retry', retryAttributes(error, attempt))),
    importer.on('import:end', ({ importId, done }) => sink.end(key(importId), { 'tidemark.done': done })),
    importer.on('import:error', ({ importId, error }) => sink.fail(key(importId), error)),
  ]
}

function followPeers(sink: OperationSink, propagator: FollowedCapabilities['propagator']): readonly (() => void)[] {
  if (propagator === undefined) return []
  const key = (peer: string): string => `propagate ${peer}`
  return [
    propagator.on('peer:message', ({ peer, phase, type, changes }) => {
      if (phase === 'sent') sink.begin(key(peer), 'propagate', { 'tidemark.peer': peer })
      else sink.end(key(peer), { 'tidemark.message': type, 'tidemark.changes': changes })
    }),
    propagator.on('peer:error', ({ peer, error, attempt }) => {
      sink.begin(key(peer), 'propagate', { 'tidemark.peer': peer })
      sink.event(key(peer), 'retry', retryAttributes(error, attempt))
    }),
    // Of a failure that was none of a message's.
    propagator.on('peer:phase', ({ peer, phase }) => {
      if (phase === 'streaming') sink.end(key(peer), {})
    }),
  ]
}

function retryAttributes({ code }: ErrorReport, attempt: number): Attributes {
  return { 'error.type': code, 'tidemark.attempt': attempt }
}
