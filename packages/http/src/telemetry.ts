// Spans of requests: only who imports this pays for it.
export { requestSpans, type RequestSpansOptions } from './telemetry/request-spans.ts'
