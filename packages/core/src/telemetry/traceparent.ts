/** Of a span somewhere else; a `SpanContext` of OpenTelemetry. */
export interface TraceParent {
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string
  /** 16 of them. */
  readonly spanId: string
  /** Bit 0: the caller has it sampled. */
  readonly traceFlags: number
  readonly isRemote?: boolean
}

/** `version-trace-parent-flags`; a version above 00 may have more behind it. */
const PATTERN = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const INVALID_VERSION = 'ff'
const NOTHING = /^0+$/

/** The header `traceparent` of W3C's Trace Context; `undefined` for none, and for one that is to be ignored. */
export function parseTraceparent(header: string | null | undefined): TraceParent | undefined {
  const [, version, traceId, spanId, flags, more] = PATTERN.exec(header ?? '') ?? []
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined) return undefined
  if (version === INVALID_VERSION || (version === '00' && more !== undefined) || NOTHING.test(traceId) || NOTHING.test(spanId)) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
}

/** For a request that is made within a span; `undefined` where the span is none, such as of a tracer that is not set up. */
export function printTraceparent({ traceId, spanId, traceFlags }: TraceParent): string | undefined {
  if (NOTHING.test(traceId) || NOTHING.test(spanId)) return undefined
  return `00-${traceId}-${spanId}-${(traceFlags & 1).toString(16).padStart(2, '0')}`
}
