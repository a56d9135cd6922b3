import type { TraceParent } from './traceparent.ts'

/** What of OpenTelemetry's `Tracer` is used (opentelemetry.io, API of JavaScript): give the one of `@opentelemetry/api`, or any other of this shape. */
export interface TelemetryTracer {
  /** `context` is one of OpenTelemetry's, with the parent in it. */
  startSpan(name: string, options?: TelemetrySpanOptions, context?: unknown): TelemetrySpan
}

export interface TelemetrySpanOptions {
  /** `SpanKind`: 0 internal, 1 server, 2 client. */
  readonly kind?: number
  readonly startTime?: number
  readonly attributes?: Readonly<Record<string, TelemetryValue>>
  readonly links?: { readonly context: TraceParent }[]
}

export type TelemetryValue = string | number | boolean

export interface TelemetrySpan {
  spanContext(): TraceParent
  setAttributes(attributes: Readonly<Record<string, TelemetryValue>>): unknown
  addEvent(name: string, attributes?: Readonly<Record<string, TelemetryValue>>): unknown
  setStatus(status: { readonly code: number; readonly message?: string }): unknown
  updateName(name: string): unknown
  end(endTime?: number): void
}

/** `SpanStatusCode.ERROR` of OpenTelemetry. */
export const STATUS_ERROR = 2

/** Of `SpanKind`. */
export const KIND_SERVER = 1
export const KIND_CLIENT = 2
