// Spans of OpenTelemetry, made of events: only who imports this pays for it.
export { followOperations, type FollowedCapabilities } from './telemetry/follow-operations.ts'
export type { OperationName, OperationSink } from './telemetry/operation-sink.ts'
export { parseTraceparent, printTraceparent, type TraceParent } from './telemetry/traceparent.ts'
export { tracedFetch, type TracedFetchOptions } from './telemetry/traced-fetch.ts'
export { traceWith, type Traced } from './telemetry/trace-with.ts'
export { KIND_SERVER, STATUS_ERROR, type TelemetrySpan, type TelemetrySpanOptions, type TelemetryTracer, type TelemetryValue } from './telemetry/tracer.ts'
