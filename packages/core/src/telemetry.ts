// Spans of OpenTelemetry, made of events: only who imports this pays for it.
export { traceWith, type Traced } from './telemetry/trace-with.ts'
export type { TelemetrySpan, TelemetryTracer, TelemetryValue } from './telemetry/tracer.ts'
