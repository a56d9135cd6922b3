import type { ErrorReport } from '../errors/tidemark-error.ts'
import type { TelemetryValue } from './tracer.ts'

export type OperationName = 'sync' | 'deliver' | 'export' | 'import' | 'propagate'

export type Attributes = Readonly<Record<string, TelemetryValue>>

/** Takes operations as they begin, go on and end. `key` tells those that are under way at once from each other. */
export interface OperationSink {
  /** Of one that is under way already: nothing. */
  begin(key: string, name: OperationName, attributes: Attributes): void
  event(key: string, name: string, attributes: Attributes): void
  /** Of one that is not under way: nothing. */
  end(key: string, attributes: Attributes): void
  /** It ends with an error. */
  fail(key: string, error: ErrorReport): void
}
