import { TidemarkError } from '../errors/tidemark-error.ts'
import { toTidemarkError } from '../errors/to-tidemark-error.ts'
import type { RetryOptions } from '../engine/run-steps.ts'
import { backoffMs } from '../util/backoff.ts'
import { report, type StreamContext } from './stream-context.ts'
import type { AnyBatch, Subscriber } from './subscriber.ts'

export interface HandlerOptions {
  readonly context: StreamContext
  readonly handler: (batch: AnyBatch) => unknown
  readonly retry: RetryOptions
  /** What takes a batch that the handler can't; absent: the subscriber stops before it. */
  readonly deadLetter: ((batch: AnyBatch, error: TidemarkError) => unknown) | undefined
}

/** Gives a subscriber's batches to its handler, one at a time, until it ends. Rejects never: the subscriber holds the outcome. */
export async function runHandler(subscriber: Subscriber, options: HandlerOptions): Promise<void> {
  try {
    for (;;) {
      const batch = await subscriber.next()
      await subscriber.during(deliver(subscriber, batch, options))
    }
  } catch (error) {
    await subscriber.end(subscriber.signal.aborted ? undefined : toTidemarkError(error))
  }
}

async function deliver(subscriber: Subscriber, batch: AnyBatch, options: HandlerOptions): Promise<void> {
  const tell = (phase: 'begun' | 'done' | 'failed', error?: TidemarkError): void => emitDelivery(subscriber, batch, { context: options.context, phase, error })
  tell('begun')
  try {
    await handle(subscriber, batch, options)
    // Also when it was stopped meanwhile: what the handler has done, it has done.
    await subscriber.acknowledge()
  } catch (error) {
    tell('failed', toTidemarkError(error))
    throw error
  }
  tell('done')
}

interface DeliveryPhase {
  readonly context: StreamContext
  readonly phase: 'begun' | 'done' | 'failed'
  readonly error: TidemarkError | undefined
}

function emitDelivery({ source, id }: Subscriber, { events, commit }: AnyBatch, { context: { emitter }, phase, error }: DeliveryPhase): void {
  if (emitter.isHeard('delivery')) emitter.emit('delivery', { source, subscriber: id, phase, events: events.length, commit, error: error?.toJSON() })
}

async function handle(subscriber: Subscriber, batch: AnyBatch, options: HandlerOptions): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await options.handler(batch)
      return
    } catch (cause) {
      const error = failureOf(subscriber, cause)
      if (subscriber.signal.aborted) throw error
      if (attempt >= options.retry.attempts) return handOver(batch, error, options)
      await rest(subscriber, { error, attempt, options })
    }
  }
}

function failureOf(subscriber: Subscriber, cause: unknown): TidemarkError {
  return new TidemarkError('HANDLER_FAILED', `The handler of the subscriber "${subscriber.id}" failed.`, { cause })
}

async function handOver(batch: AnyBatch, error: TidemarkError, { deadLetter }: HandlerOptions): Promise<void> {
  if (deadLetter === undefined) throw error
  try {
    await deadLetter(batch, error)
  } catch (cause) {
    throw new TidemarkError('HANDLER_FAILED', 'The dead letter was refused too.', { cause })
  }
}

async function rest(subscriber: Subscriber, failed: { readonly error: TidemarkError; readonly attempt: number; readonly options: HandlerOptions }): Promise<void> {
  const { error, attempt, options: { context, retry } } = failed
  const delayMs = backoffMs(attempt, context.runtime.random(), retry)
  report(context, { source: subscriber.source, subscriber: subscriber.id, error, attempt, delayMs })
  subscriber.retrying()
  await context.runtime.sleep(delayMs, subscriber.signal)
  subscriber.begin()
}
