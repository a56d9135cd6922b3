import { ERRORS } from '../errors/error-codes.ts'
import type { TidemarkError } from '../errors/tidemark-error.ts'
import type { RunLogEntry } from '../state/ledger.ts'

/** The runs of a replication that have failed since one did not. */
export interface Failures {
  readonly count: number
  readonly lastAtMs: number
  /** Of the last one. */
  readonly isRetryable: boolean
}

/** The same after one more. */
export function failedAgain(before: Failures | undefined, error: TidemarkError, atMs: number): Failures {
  return { count: (before?.count ?? 0) + 1, lastAtMs: atMs, isRetryable: error.retryable }
}

/** By the run log, newest first: what a process that was ended had counted. */
export function loggedFailures(runs: readonly RunLogEntry[]): Failures | undefined {
  const end = runs.findIndex((run) => run.status === 'success')
  const failed = end === -1 ? runs : runs.slice(0, end)
  const [last] = failed
  if (last === undefined) return undefined
  return { count: failed.length, lastAtMs: last.atMs, isRetryable: isRetryable(last.errorCode) }
}

/** A code of a newer release is tried again: that costs little. */
function isRetryable(code: string | undefined): boolean {
  return code === undefined || !isKnown(code) || ERRORS[code].retryable
}

function isKnown(code: string): code is keyof typeof ERRORS {
  return Object.hasOwn(ERRORS, code)
}
