import type { ErrorReport } from '../errors/tidemark-error.ts'
import type { Exporter } from '../exporter/exporter.ts'
import type { Propagator } from '../propagator/propagator.ts'
import type { Replicator } from '../replicator/replicator.ts'
import { STATUS_ERROR, type TelemetrySpan, type TelemetryTracer, type TelemetryValue } from './tracer.ts'

type Attributes = Readonly<Record<string, TelemetryValue>>

export interface Traced {
  readonly tracer: TelemetryTracer
  readonly replicator?: Pick<Replicator, 'on'> | undefined
  readonly exporter?: Pick<Exporter, 'on'> | undefined
  readonly propagator?: Pick<Propagator, 'on'> | undefined
}

/**
 * Makes spans of what capabilities tell of: `tidemark.sync` a run, with an event for each slice; `tidemark.export`, with an event for each part;
 * `tidemark.propagate` from a peer's first failure until it takes changes again. No attribute has a row value or a secret. Listens to events and nothing else, so that
 * without a call of it there is no cost. Disposing ends the spans that are open.
 */
export function traceWith({ tracer, replicator, exporter, propagator }: Traced): Disposable {
  const spans = new OpenSpans(tracer)
  const unsubscribe = [...syncSpans(spans, replicator), ...exportSpans(spans, exporter), ...peerSpans(spans, propagator)]
  return {
    [Symbol.dispose]: () => {
      for (const stop of unsubscribe) stop()
      spans[Symbol.dispose]()
    },
  }
}

function syncSpans(spans: OpenSpans, replicator: Traced['replicator']): readonly (() => void)[] {
  if (replicator === undefined) return []
  const key = (name: string): string => `tidemark.sync ${name}`
  return [
    replicator.on('sync:start', ({ name }) => spans.begin(key(name), 'tidemark.sync', { 'tidemark.replication': name })),
    replicator.on('sync:progress', ({ name, phase, rows }) => spans.event(key(name), 'slice', { 'tidemark.phase': phase, 'tidemark.rows': rows })),
    replicator.on('sync:retry', ({ name, error, attempt }) => spans.event(key(name), 'retry', { ...errorAttributes(error), 'tidemark.attempt': attempt })),
    replicator.on('sync:success', ({ name, rows, rowsRead }) => spans.end(key(name), { 'tidemark.rows': rows, 'tidemark.rows_read': rowsRead })),
    replicator.on('sync:error', ({ name, error }) => spans.fail(key(name), error)),
    replicator.on('sync:skipped', ({ name }) => spans.end(key(name), { 'tidemark.skipped': true })),
  ]
}

function exportSpans(spans: OpenSpans, exporter: Traced['exporter']): readonly (() => void)[] {
  if (exporter === undefined) return []
  const key = (id: string): string => `tidemark.export ${id}`
  return [
    exporter.on('export:status', ({ id, status, error }) => {
      spans.begin(key(id), 'tidemark.export', { 'tidemark.export': id })
      if (status === 'failed' && error !== undefined) spans.fail(key(id), error)
      else if (status === 'completed' || status === 'failed' || status === 'cancelled') spans.end(key(id), { 'tidemark.status': status })
    }),
    exporter.on('export:part', ({ id, bytes, rows }) => spans.event(key(id), 'part', { 'tidemark.bytes': bytes, 'tidemark.rows': rows })),
    exporter.on('export:retry', ({ id, error, attempt }) => spans.event(key(id), 'retry', { ...errorAttributes(error), 'tidemark.attempt': attempt })),
  ]
}

function peerSpans(spans: OpenSpans, propagator: Traced['propagator']): readonly (() => void)[] {
  if (propagator === undefined) return []
  const key = (peer: string): string => `tidemark.propagate ${peer}`
  return [
    propagator.on('peer:error', ({ peer, error, attempt }) => {
      spans.begin(key(peer), 'tidemark.propagate', { 'tidemark.peer': peer })
      spans.event(key(peer), 'retry', { ...errorAttributes(error), 'tidemark.attempt': attempt })
    }),
    propagator.on('peer:applied', ({ peer, changes }) => {
      spans.begin(key(peer), 'tidemark.propagate', { 'tidemark.peer': peer })
      spans.end(key(peer), { 'tidemark.changes': changes })
    }),
  ]
}

function errorAttributes({ code }: ErrorReport): Attributes {
  return { 'error.type': code }
}

/** By what they are of. Each ends once. */
class OpenSpans implements Disposable {
  readonly #tracer: TelemetryTracer
  readonly #open = new Map<string, TelemetrySpan>()

  constructor(tracer: TelemetryTracer) {
    this.#tracer = tracer
  }

  begin(key: string, name: string, attributes: Attributes): void {
    if (!this.#open.has(key)) this.#open.set(key, this.#tracer.startSpan(name, { attributes }))
  }

  event(key: string, name: string, attributes: Attributes): void {
    this.#open.get(key)?.addEvent(name, attributes)
  }

  end(key: string, attributes: Attributes = {}): void {
    const span = this.#open.get(key)
    this.#open.delete(key)
    span?.setAttributes(attributes)
    span?.end()
  }

  /** The message may have names of the user's in it; the code says what it is. */
  fail(key: string, error: ErrorReport): void {
    this.#open.get(key)?.setStatus({ code: STATUS_ERROR, message: error.code })
    this.end(key, errorAttributes(error))
  }

  [Symbol.dispose](): void {
    for (const key of this.#open.keys()) this.end(key, { 'tidemark.unfinished': true })
  }
}
