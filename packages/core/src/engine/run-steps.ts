import { TidemarkError } from '../errors/tidemark-error.ts'
import { toTidemarkError } from '../errors/to-tidemark-error.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { backoffMs, type BackoffOptions } from '../util/backoff.ts'
import type { SliceBudget, Steppable } from './step.ts'

export interface RetryOptions extends BackoffOptions {
  /** Tries of one step before its error ends the run; 1 means no retry. */
  readonly attempts: number
}

export interface RunStepsOptions {
  readonly runtime: Runtime
  readonly budget: SliceBudget
  readonly retry: RetryOptions
  readonly signal: AbortSignal
  /** Called before each step: renews the lease. */
  readonly beforeStep: () => Promise<void>
  readonly onRetry: (error: TidemarkError, attempt: number, delayMs: number) => void
}

/**
 * The loop of every capability. A retryable error repeats the step after a backoff; a step that succeeds sets the
 * count back. The signal ends the loop between steps and cuts short whatever a step waits for.
 */
export async function runSteps(task: Steppable, options: RunStepsOptions): Promise<void> {
  let failures = 0
  for (;;) {
    throwIfAborted(options.signal)
    try {
      await options.beforeStep()
      const { done } = await task.step({ budget: options.budget, signal: options.signal })
      if (done) return
      failures = 0
    } catch (error) {
      failures += 1
      await waitForRetry(toTidemarkError(error), failures, options)
    }
  }
}

/** A lost lease is retryable, but not from here: the fence in hand is stale for good. */
const ENDS_THE_RUN: ReadonlySet<string> = new Set(['LEASE_LOST', 'LEASE_HELD'])

async function waitForRetry(error: TidemarkError, failures: number, options: RunStepsOptions): Promise<void> {
  throwIfAborted(options.signal)
  if (!error.retryable || ENDS_THE_RUN.has(error.code) || failures >= options.retry.attempts) throw error
  const delayMs = backoffMs(failures, options.runtime.random(), options.retry)
  options.onRetry(error, failures, delayMs)
  await options.runtime.sleep(delayMs, options.signal)
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new TidemarkError('ABORTED', 'The run was stopped.')
}
