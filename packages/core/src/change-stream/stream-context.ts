import type { Emitter } from '../events/emitter.ts'
import type { TidemarkError } from '../errors/tidemark-error.ts'
import { withRetry } from '../engine/run-steps.ts'
import type { ChangeFilters } from '../feed/change-filter.ts'
import type { Logger } from '../log/logger.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { StateStore } from '../state/state-store.ts'
import type { ChangeStreamEvents } from './change-stream-events.ts'
import type { ChangeStreamSettings } from './change-stream-settings.ts'

/** What all parts of one stream share. */
export interface StreamContext {
  readonly settings: ChangeStreamSettings
  readonly checkpoints: StateStore | undefined
  readonly runtime: Runtime
  readonly logger: Logger
  readonly emitter: Emitter<ChangeStreamEvents>
  readonly filters: ChangeFilters
}

export interface Failure {
  readonly source: string
  readonly subscriber: string | undefined
  readonly error: TidemarkError
  readonly attempt: number
  /** `undefined`: it is not tried again. */
  readonly delayMs: number | undefined
}

/** Tells listeners and the log of a failure, without its cause: that may quote a row. */
export function report({ emitter, logger }: StreamContext, { error, ...rest }: Failure): void {
  const fields = { source: rest.source, subscriber: rest.subscriber, code: error.code, attempt: rest.attempt, delayMs: rest.delayMs }
  if (rest.delayMs === undefined) logger.error(fields, error.message)
  else logger.warn(fields, error.message)
  emitter.emit('error', { ...rest, error: error.toJSON() })
}

/** Repeats for ever what is retryable; each failure is reported. */
export function persist<T>(context: StreamContext, who: { readonly source: string; readonly subscriber?: string; readonly signal: AbortSignal }, work: () => Promise<T>): Promise<T> {
  const { runtime, settings } = context
  return withRetry({
    runtime,
    signal: who.signal,
    retry: { ...settings.retry, attempts: Infinity },
    onRetry: (error, attempt, delayMs) => report(context, { source: who.source, subscriber: who.subscriber, error, attempt, delayMs }),
  }, work)
}
