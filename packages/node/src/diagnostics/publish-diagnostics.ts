import { channel, tracingChannel } from 'node:diagnostics_channel'
import type { ChangeStreamEvents, ErrorReport, ExportEvents, ImportEvents, PropagatorEvents, ReplicatorEvents } from '@tidemark/core'
import { followOperations, type FollowedCapabilities, type OperationName, type OperationSink } from '@tidemark/core/telemetry'

/** What subscribers of a tracing channel get: the same object each time, with the outcome once there is one. Attributes are names, counts and codes. */
export interface DiagnosticOperation {
  readonly attributes: Readonly<Record<string, string | number | boolean>>
  /** Present once it has ended well. */
  readonly result?: Readonly<Record<string, string | number | boolean>>
  /** Present once it has failed. */
  readonly error?: ErrorReport
}

/** `change` is left out: it has row values, and listening to it has a stream read ahead. */
const REPLICATOR = ['sync:start', 'sync:progress', 'sync:success', 'sync:error', 'sync:retry', 'sync:skipped', 'schema:changed', 'cursor:ahead', 'drift:found', 'reconcile:success', 'status:change'] as const satisfies readonly (keyof ReplicatorEvents)[]
const STREAM = ['schema', 'snapshot', 'heartbeat', 'delivery', 'gap', 'lag', 'retention', 'error', 'status'] as const satisfies readonly (keyof ChangeStreamEvents)[]
const EXPORTER = ['export:status', 'export:view', 'export:part', 'export:retry', 'export:callback'] as const satisfies readonly (keyof ExportEvents)[]
const IMPORTER = ['import:start', 'import:progress', 'import:retry', 'import:end', 'import:error'] as const satisfies readonly (keyof ImportEvents)[]
const PROPAGATOR = ['peer:phase', 'peer:message', 'peer:applied', 'peer:copied', 'peer:lag', 'peer:error', 'table:refused', 'peer:dead-letter'] as const satisfies readonly (keyof PropagatorEvents)[]

const TRACED = { sync: 'replicator:sync', deliver: 'stream:deliver', export: 'exporter:export', import: 'importer:import', propagate: 'propagator:propagate' } as const satisfies Readonly<Record<OperationName, string>>

/**
 * Publishes what capabilities tell of in `node:diagnostics_channel`, until it is disposed: each event as the channel `tidemark:<capability>:<event>`, such as
 * `tidemark:replicator:sync:retry` or `tidemark:stream:gap`, with the event's payload; and what begins and ends as the tracing channels `tidemark:replicator:sync`,
 * `tidemark:stream:deliver`, `tidemark:exporter:export`, `tidemark:importer:import` and `tidemark:propagator:propagate`, with a {@link DiagnosticOperation}. A channel that
 * nobody subscribes to costs one look.
 */
export function publishDiagnostics(capabilities: FollowedCapabilities): Disposable {
  const { replicator, streams = [], exporter, importer, propagator } = capabilities
  const stops = [
    followOperations(capabilities, new TracingChannels()),
    ...(replicator === undefined ? [] : REPLICATOR.map((name) => replicator.on(name, publisher('replicator', name)))),
    ...streams.flatMap((stream) => STREAM.map((name) => stream.on(name, publisher('stream', name)))),
    ...(exporter === undefined ? [] : EXPORTER.map((name) => exporter.on(name, publisher('exporter', name)))),
    ...(importer === undefined ? [] : IMPORTER.map((name) => importer.on(name, publisher('importer', name)))),
    ...(propagator === undefined ? [] : PROPAGATOR.map((name) => propagator.on(name, publisher('propagator', name)))),
  ]
  return {
    [Symbol.dispose]: () => {
      for (const stop of stops) stop()
    },
  }
}

function publisher(capability: string, event: string): (payload: unknown) => void {
  const published = channel(`tidemark:${capability}:${event}`)
  return (payload) => {
    if (published.hasSubscribers) published.publish(payload)
  }
}

type Channels = ReturnType<typeof tracingChannel<unknown, DiagnosticOperation>>

type Unsettled = { -readonly [Name in keyof DiagnosticOperation]: DiagnosticOperation[Name] }

/** As `tracePromise` publishes an asynchronous call: `start` and `end` when it is begun, then `error` where it fails, and `asyncStart` and `asyncEnd`. */
class TracingChannels implements OperationSink {
  readonly #channels = new Map<OperationName, Channels>()
  readonly #open = new Map<string, { readonly channels: Channels; readonly operation: Unsettled }>()

  begin(key: string, name: OperationName, attributes: DiagnosticOperation['attributes']): void {
    const channels = this.#channelsOf(name)
    if (this.#open.has(key) || !isHeard(channels)) return
    const operation = { attributes }
    this.#open.set(key, { channels, operation })
    channels.start.publish(operation)
    channels.end.publish(operation)
  }

  /** The channels of the events have it. */
  event(): void {}

  end(key: string, result: DiagnosticOperation['attributes']): void {
    this.#settle(key, (operation) => { operation.result = result })
  }

  fail(key: string, error: ErrorReport): void {
    this.#settle(key, (operation, channels) => {
      operation.error = error
      channels.error.publish(operation)
    })
  }

  #settle(key: string, note: (operation: Unsettled, channels: Channels) => void): void {
    const open = this.#open.get(key)
    if (open === undefined) return
    this.#open.delete(key)
    const { channels, operation } = open
    note(operation, channels)
    channels.asyncStart.publish(operation)
    channels.asyncEnd.publish(operation)
  }

  #channelsOf(name: OperationName): Channels {
    const known = this.#channels.get(name) ?? tracingChannel<unknown, DiagnosticOperation>(`tidemark:${TRACED[name]}`)
    this.#channels.set(name, known)
    return known
  }
}

/** Older hosts have no `hasSubscribers` on the whole. */
function isHeard({ start, end, asyncStart, asyncEnd, error }: Channels): boolean {
  return [start, end, asyncStart, asyncEnd, error].some(({ hasSubscribers }) => hasSubscribers)
}
