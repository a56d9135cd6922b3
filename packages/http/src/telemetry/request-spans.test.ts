import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { describe, expect, it } from 'vitest'
import { bearerTokens, createHandler, type Handler } from '../index.ts'
import { serve } from '../test/serve.ts'
import { requestSpans } from './request-spans.ts'

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const SPAN_ID = 'b7ad6b7169203331'
const TOKEN = 'canary-token'

function traced({ links = false }: { readonly links?: boolean } = {}): { readonly handler: Handler; readonly spans: () => readonly ReadableSpan[] } {
  const memory = new InMemorySpanExporter()
  const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] }).getTracer('test')
  const telemetry = requestSpans({ tracer, ...(links ? {} : { contextOf: (parent) => trace.setSpanContext(ROOT_CONTEXT, parent) }) })
  return { handler: createHandler({ authorize: bearerTokens({ read: TOKEN }), basePath: '/data', telemetry }), spans: () => memory.getFinishedSpans() }
}

function ask(path: string, { method = 'GET', ...headers }: Readonly<Record<string, string>> = {}): Request {
  return new Request(`http://localhost${path}`, { method, headers })
}

describe('spans of requests', () => {
  it('have the route and the status, by OpenTelemetry\'s own SDK, and nothing of the address or a header', async () => {
    const { handler, spans } = traced()
    await using server = await serve(handler)
    const authorization = `Bearer ${TOKEN}`
    for (const [path, init] of [
      ['/data/?secret=canary-query', { headers: { authorization } }],
      ['/data/export/status/canary-id', { headers: { authorization } }],
      ['/data/health', { headers: { authorization: 'Bearer canary-wrong' } }],
      ['/data/health', { method: 'PURGE', headers: { authorization } }],
      ['/canary-nowhere', {}],
    ] as const) await fetch(server.url + path, init)
    expect(spans().map(({ name, kind, attributes, status }) => [name, kind, attributes, status.code])).toEqual([
      ['GET /data/', SpanKind.SERVER, { 'http.request.method': 'GET', 'http.route': '/data/', 'http.response.status_code': 200 }, SpanStatusCode.UNSET],
      ['GET /data/export/status/:exportId', SpanKind.SERVER, { 'http.request.method': 'GET', 'http.route': '/data/export/status/:exportId', 'http.response.status_code': 404, 'error.type': 'ROUTE_UNKNOWN' }, SpanStatusCode.UNSET],
      ['GET /data/health', SpanKind.SERVER, { 'http.request.method': 'GET', 'http.route': '/data/health', 'http.response.status_code': 401, 'error.type': 'REQUEST_UNAUTHORIZED' }, SpanStatusCode.UNSET],
      ['_OTHER', SpanKind.SERVER, { 'http.request.method': '_OTHER', 'http.response.status_code': 405, 'error.type': 'REQUEST_INVALID' }, SpanStatusCode.UNSET],
      ['GET', SpanKind.SERVER, { 'http.request.method': 'GET', 'http.response.status_code': 404, 'error.type': 'ROUTE_UNKNOWN' }, SpanStatusCode.UNSET],
    ])
    expect(JSON.stringify(spans().map(({ name, attributes, events, status }) => ({ name, attributes, events, status })))).not.toContain('canary')
  })

  it('have failed where the handler is at fault', async () => {
    const memory = new InMemorySpanExporter()
    const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] }).getTracer('test')
    const authorize = Object.assign(() => { throw new Error('canary') }, { challenge: 'Bearer' })
    const handler = createHandler({ authorize, telemetry: requestSpans({ tracer }) })
    expect((await handler(ask('/health'))).status).toBe(500)
    expect(memory.getFinishedSpans()).toMatchObject([{ status: { code: SpanStatusCode.ERROR }, attributes: { 'http.response.status_code': 500, 'error.type': 'INTERNAL' } }])
  })

  it('are children of the span that the header names', async () => {
    const { handler, spans } = traced()
    await handler(ask('/data/health', { traceparent: `00-${TRACE_ID}-${SPAN_ID}-01` }))
    expect(spans()[0]?.spanContext().traceId).toBe(TRACE_ID)
    expect(spans()[0]?.parentSpanContext).toMatchObject({ traceId: TRACE_ID, spanId: SPAN_ID, isRemote: true })
  })

  it('link to it where no context can be made', async () => {
    const { handler, spans } = traced({ links: true })
    await handler(ask('/data/health', { traceparent: `00-${TRACE_ID}-${SPAN_ID}-01` }))
    expect(spans()[0]?.spanContext().traceId).not.toBe(TRACE_ID)
    expect(spans()[0]?.links).toMatchObject([{ context: { traceId: TRACE_ID, spanId: SPAN_ID } }])
  })

  it('begin a trace where the header is none of W3C\'s', async () => {
    const { handler, spans } = traced()
    const bad = ['', 'x', `ff-${TRACE_ID}-${SPAN_ID}-01`, `00-${'0'.repeat(32)}-${SPAN_ID}-01`, `00-${TRACE_ID}-${'0'.repeat(16)}-01`, `00-${TRACE_ID.toUpperCase()}-${SPAN_ID}-01`, `00-${TRACE_ID}-${SPAN_ID}-01-more`, `00-${TRACE_ID}-${SPAN_ID}`]
    for (const traceparent of bad) await handler(ask('/data/health', { traceparent }))
    expect(spans().map((span) => span.parentSpanContext)).toEqual(bad.map(() => undefined))
    await handler(ask('/data/health', { traceparent: `01-${TRACE_ID}-${SPAN_ID}-00-more` }))
    expect(spans().at(-1)?.parentSpanContext?.spanId ?? 'not sampled').toBe('not sampled')
  })
})
