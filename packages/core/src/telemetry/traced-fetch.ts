import { hostFetch, type PeerFetch } from '../propagator/peers/http-peer.ts'
import { KIND_CLIENT, STATUS_ERROR, type TelemetryTracer } from './tracer.ts'
import { printTraceparent } from './traceparent.ts'

export interface TracedFetchOptions {
  readonly tracer: TelemetryTracer
  /** Default: the host's `fetch`. */
  readonly fetch?: PeerFetch | undefined
}

/** For `httpPeer({ fetch })`: a span of each request, whose id is sent along as `traceparent`, so that what the receiver traces is a part of it. */
export function tracedFetch({ tracer, fetch = hostFetch() }: TracedFetchOptions): PeerFetch {
  return async (url, init) => {
    const { hostname, port, protocol } = new URL(url)
    const attributes = { 'http.request.method': init.method, 'server.address': hostname, 'server.port': portOf(port, protocol) }
    const span = tracer.startSpan(init.method, { kind: KIND_CLIENT, attributes })
    const traceparent = printTraceparent(span.spanContext())
    try {
      const response = await fetch(url, { ...init, headers: { ...init.headers, ...(traceparent === undefined ? {} : { traceparent }) } })
      span.setAttributes({ 'http.response.status_code': response.status })
      if (response.status >= 400) failed(span, String(response.status))
      return response
    } catch (error) {
      // The name alone: the message may quote the address with what is in it.
      failed(span, error instanceof Error ? error.name : typeof error)
      throw error
    } finally {
      span.end()
    }
  }
}

function failed(span: ReturnType<TelemetryTracer['startSpan']>, type: string): void {
  span.setStatus({ code: STATUS_ERROR })
  span.setAttributes({ 'error.type': type })
}

function portOf(port: string, protocol: string): number {
  if (port !== '') return Number(port)
  return protocol === 'https:' ? 443 : 80
}
