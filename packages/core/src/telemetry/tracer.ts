/** What of OpenTelemetry's `Tracer` is used (opentelemetry.io, API of JavaScript): give the one of `@opentelemetry/api`, or any other of this shape. */
export interface TelemetryTracer {
  startSpan(name: string, options?: { readonly startTime?: number; readonly attributes?: Readonly<Record<string, TelemetryValue>> }): TelemetrySpan
}

export type TelemetryValue = string | number | boolean

export interface TelemetrySpan {
  setAttributes(attributes: Readonly<Record<string, TelemetryValue>>): unknown
  addEvent(name: string, attributes?: Readonly<Record<string, TelemetryValue>>): unknown
  setStatus(status: { readonly code: number; readonly message?: string }): unknown
  end(endTime?: number): void
}

/** `SpanStatusCode.ERROR` of OpenTelemetry. */
export const STATUS_ERROR = 2
