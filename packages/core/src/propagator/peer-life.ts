import type { ErrorReport, TidemarkError } from '../errors/tidemark-error.ts'
import { backoffMs, type BackoffOptions } from '../util/backoff.ts'

/** What a propagator is doing about a peer. */
export type PeerPhase =
  /** Nothing has been said to it yet. */
  | 'new'
  /** It gets rows that were there before. */
  | 'copying'
  /** It gets changes, or has all of them. */
  | 'streaming'
  /** It has failed and is tried again soon. */
  | 'retrying'
  /** It has failed so often, or in such a way, that it is left alone for a while. */
  | 'resting'

/** How a peer stands, without any I/O: time and chance are inputs. */
export interface PeerLife {
  readonly phase: PeerPhase
  /** In a row. */
  readonly failures: number
  /** When it is tried again, in milliseconds since 1970; 0: at once. */
  readonly retryAtMs: number
  readonly lastError: ErrorReport | undefined
}

export const NEW_PEER: PeerLife = { phase: 'new', failures: 0, retryAtMs: 0, lastError: undefined }

export interface PeerPolicy {
  readonly retry: BackoffOptions
  readonly breaker: { readonly failures: number; readonly cooldownMs: number }
}

/** It has answered. */
export function peerAnswered(isCopying: boolean): PeerLife {
  return { phase: isCopying ? 'copying' : 'streaming', failures: 0, retryAtMs: 0, lastError: undefined }
}

/**
 * It has failed. Soon again after what may pass; after a while when it fails on and on or for good, since what is for good may be mended
 * there: a token, a schema, a disk.
 */
export function peerFailed(life: PeerLife, failure: { readonly error: TidemarkError; readonly nowMs: number; readonly random: number }, policy: PeerPolicy): PeerLife {
  const { error, nowMs, random } = failure
  const failures = life.failures + 1
  const rests = !error.retryable || failures >= policy.breaker.failures
  // Spread, so that the peers of a server that comes back do not all come at once.
  const delayMs = rests ? policy.breaker.cooldownMs * (0.5 + random / 2) : backoffMs(failures, random, policy.retry)
  return { phase: rests ? 'resting' : 'retrying', failures, retryAtMs: nowMs + delayMs, lastError: error.toJSON() }
}
