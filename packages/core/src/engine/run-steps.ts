import { TidemarkError } from '../errors/tidemark-error.ts'
import { toTidemarkError } from '../errors/to-tidemark-error.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { backoffMs, type BackoffOptions } from '../util/backoff.ts'
import type { SliceBudget, Steppable } from './step.ts'

export interface RetryOptions extends BackoffOptions {
  /** Tries of one step before its error ends the run; 1 means no retry. */
  readonly attempts: number
}

/** What repeating an attempt needs. */
export interface RetryContext {
  readonly runtime: Runtime
  readonly retry: RetryOptions
  readonly signal: AbortSignal
  readonly onRetry: (error: TidemarkError, attempt: number, delayMs: number) => void
}

export interface RunStepsOptions extends RetryContext {
  readonly budget: SliceBudget
  /** Called before each step: renews the lease. */
  readonly beforeStep: () => Promise<void>
  /** Asked after each step: whether to leave the rest for later. Default: never. */
  readonly isOver?: (() => boolean) | undefined
}

/**
 * The loop of every capability. A retryable error repeats the step after a backoff; a step that succeeds sets the
 * count back. The signal ends the loop between steps and cuts short whatever a step waits for. Gives whether all is done.
 */
export async function runSteps(task: Steppable, options: RunStepsOptions): Promise<boolean> {
  for (;;) {
    const isDone = await withRetry(options, async () => {
      await options.beforeStep()
      return (await task.step({ budget: options.budget, signal: options.signal })).done
    })
    if (isDone || options.isOver?.() === true) return isDone
  }
}

/** Repeats `work` after a backoff while its error is retryable. */
export async function withRetry<T>(context: RetryContext, work: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    throwIfAborted(context.signal)
    try {
      return await work()
    } catch (error) {
      await waitForRetry(toTidemarkError(error), failures, context)
    }
  }
}

/** A lost lease is retryable, but not from here: the fence in hand is stale for good. */
const ENDS_THE_RUN: ReadonlySet<string> = new Set(['LEASE_LOST', 'LEASE_HELD'])

/** Waits before the next try. Errors: the one that was given, when it is not to be tried again. */
export async function waitForRetry(error: TidemarkError, failures: number, options: RetryContext): Promise<void> {
  throwIfAborted(options.signal)
  if (!error.retryable || ENDS_THE_RUN.has(error.code) || failures >= options.retry.attempts) throw error
  const delayMs = backoffMs(failures, options.runtime.random(), options.retry)
  options.onRetry(error, failures, delayMs)
  await options.runtime.sleep(delayMs, options.signal)
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new TidemarkError('ABORTED', 'The run was stopped.')
}
