import { KIND_SERVER, parseTraceparent, STATUS_ERROR, type TelemetrySpan, type TelemetrySpanOptions, type TelemetryTracer, type TraceParent } from '@tidemark/core/telemetry'
import type { HandlerTelemetry } from './handler-telemetry.ts'

export interface RequestSpansOptions {
  readonly tracer: TelemetryTracer
  /**
   * Makes a context of the span of whoever asks, as its header `traceparent` names it: `(parent) => trace.setSpanContext(ROOT_CONTEXT, parent)` of `@opentelemetry/api`.
   * Default: the span begins a trace of its own and links to the caller's.
   */
  readonly contextOf?: ((parent: TraceParent) => unknown) | undefined
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE'])

/**
 * For `createHandler({ telemetry })`: a span of each request, until its answer has a status; what streams on afterwards is not waited for. Attributes are those of
 * OpenTelemetry's conventions for HTTP servers: `http.request.method`, `http.route`, `http.response.status_code`, and in `error.type` the error's code. No path, query or header.
 */
export function requestSpans(options: RequestSpansOptions): HandlerTelemetry {
  return new RequestSpans(options)
}

class RequestSpans implements HandlerTelemetry {
  readonly #options: RequestSpansOptions
  readonly #open = new WeakMap<Request, TelemetrySpan>()
  readonly #codes = new WeakMap<Request, string>()

  constructor(options: RequestSpansOptions) {
    this.#options = options
  }

  async during(request: Request, handle: (request: Request) => Promise<Response>): Promise<Response> {
    const span = this.#begin(request)
    this.#open.set(request, span)
    try {
      const response = await handle(request)
      this.#answered(request, span, response.status)
      return response
    } finally {
      span.end()
    }
  }

  routed(request: Request, route: string): void {
    const span = this.#open.get(request)
    span?.updateName(`${methodOf(request)} ${route}`)
    span?.setAttributes({ 'http.route': route })
  }

  failed(request: Request, code: string): void {
    this.#codes.set(request, code)
  }

  #begin(request: Request): TelemetrySpan {
    const { tracer, contextOf } = this.#options
    const parent = parseTraceparent(request.headers.get('traceparent'))
    const options: TelemetrySpanOptions = { kind: KIND_SERVER, attributes: { 'http.request.method': methodOf(request) } }
    if (parent === undefined) return tracer.startSpan(methodOf(request), options)
    if (contextOf === undefined) return tracer.startSpan(methodOf(request), { ...options, links: [{ context: parent }] })
    return tracer.startSpan(methodOf(request), options, contextOf(parent))
  }

  /** By the conventions, what is the caller's fault does not make the server's span a failed one; which fault it was is said all the same. */
  #answered(request: Request, span: TelemetrySpan, status: number): void {
    const code = this.#codes.get(request) ?? (status >= 500 ? String(status) : undefined)
    span.setAttributes({ 'http.response.status_code': status, ...(code === undefined ? {} : { 'error.type': code }) })
    if (status >= 500) span.setStatus({ code: STATUS_ERROR })
  }
}

/** Any text can come as a method. */
function methodOf({ method }: Request): string {
  return METHODS.has(method) ? method : '_OTHER'
}
