import type { ErrorReport } from '../errors/tidemark-error.ts'
import { followOperations, type FollowedCapabilities } from './follow-operations.ts'
import type { Attributes, OperationName, OperationSink } from './operation-sink.ts'
import { STATUS_ERROR, type TelemetrySpan, type TelemetryTracer } from './tracer.ts'

export interface Traced extends FollowedCapabilities {
  readonly tracer: TelemetryTracer
}

/**
 * Makes spans of what capabilities tell of: `tidemark.sync` a run, with an event for each slice; `tidemark.deliver` a batch in the hands of a subscriber's handler;
 * `tidemark.export`, with an event for each part; `tidemark.import` a run or a step, with an event for each slice; `tidemark.propagate` a message to a peer until it is
 * answered, with an event for each failure. No attribute has a row value or a secret. Listens to events and nothing else, so that without a call of it there is no cost. Disposing ends
 * the spans that are open.
 */
export function traceWith({ tracer, ...capabilities }: Traced): Disposable {
  const spans = new OpenSpans(tracer)
  const stop = followOperations(capabilities, spans)
  return {
    [Symbol.dispose]: () => {
      stop()
      spans[Symbol.dispose]()
    },
  }
}

/** By what they are of. Each ends once. */
class OpenSpans implements OperationSink, Disposable {
  readonly #tracer: TelemetryTracer
  readonly #open = new Map<string, TelemetrySpan>()

  constructor(tracer: TelemetryTracer) {
    this.#tracer = tracer
  }

  begin(key: string, name: OperationName, attributes: Attributes): void {
    if (!this.#open.has(key)) this.#open.set(key, this.#tracer.startSpan(`tidemark.${name}`, { attributes }))
  }

  event(key: string, name: string, attributes: Attributes): void {
    this.#open.get(key)?.addEvent(name, attributes)
  }

  end(key: string, attributes: Attributes): void {
    const span = this.#open.get(key)
    this.#open.delete(key)
    span?.setAttributes(attributes)
    span?.end()
  }

  /** The message may have names of the user's in it; the code says what it is. */
  fail(key: string, { code }: ErrorReport): void {
    this.#open.get(key)?.setStatus({ code: STATUS_ERROR, message: code })
    this.end(key, { 'error.type': code })
  }

  [Symbol.dispose](): void {
    for (const key of this.#open.keys()) this.end(key, { 'tidemark.unfinished': true })
  }
}
