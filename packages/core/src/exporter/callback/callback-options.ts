import type { SecretInput } from '../../util/secret.ts'

/** A subset of `fetch`, for hosts with one of their own. */
export type CallbackFetch = (url: string, init: CallbackInit) => Promise<CallbackResponse>

export interface CallbackInit {
  readonly method: 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** A redirect is an answer like any other, and not a good one. */
  readonly redirect: 'manual'
  readonly signal: AbortSignal
}

export interface CallbackResponse {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly body?: { cancel(): Promise<void> } | null
}

export interface CallbackOptions {
  /**
   * Origins that may be called, such as `https://hooks.example`. None by default. `https` on port 443 to a public name only, unless the very
   * origin is named here: `http://localhost:8080` is then what its owner wants.
   */
  readonly allowedOrigins: readonly string[]
  /** Signs calls whose request named no secret, and those of requests whose secret died with its process. */
  readonly secret?: SecretInput | undefined
  /** Longest wait for an answer, in milliseconds. Default 15,000. */
  readonly timeoutMs?: number | undefined
  /**
   * Default: the host's `fetch`. A name can be made to resolve to an address inside a network after it was looked at; where that matters, give a
   * `fetch` that checks the address it connects to, such as `guardedFetch()` of `@tidemark/node`.
   */
  readonly fetch?: CallbackFetch | undefined
}
