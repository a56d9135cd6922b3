import { ERRORS, type TidemarkError } from '@tidemark/core'
import { toTidemarkError } from '@tidemark/core/adapter'
import { ANSWER_HEADERS } from './answer-headers.ts'
import { statusOf } from './status-of.ts'

/** RFC 9457, with what every error of Tidemark has. */
export interface Problem {
  /** `urn:tidemark:error:CODE`. */
  readonly type: string
  /** What the code means, the same each time. */
  readonly title: string
  readonly status: number
  /** What happened this time, for people. */
  readonly detail: string
  readonly code: TidemarkError['code']
  readonly retryable: boolean
  readonly remedy: string
  /** The engine's or the storage's own code. */
  readonly engineCode?: string | undefined
  readonly issues?: TidemarkError['issues'] | undefined
}

/** Anything thrown, as what the caller is told: no cause, no stack. */
export function problemOf(cause: unknown): Problem {
  const error = toTidemarkError(cause)
  return {
    type: `urn:tidemark:error:${error.code}`,
    title: error.code.replaceAll('_', ' ').toLowerCase(),
    status: statusOf(error),
    detail: error.message,
    code: error.code,
    retryable: ERRORS[error.code].retryable,
    remedy: error.remedy,
    ...(error.detail === undefined ? {} : { engineCode: error.detail }),
    ...(error.issues.length === 0 ? {} : { issues: error.issues }),
  }
}

export function problemAnswer(cause: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  const problem = problemOf(cause)
  return new Response(JSON.stringify(problem), { status: problem.status, headers: { ...ANSWER_HEADERS, ...headers, 'content-type': 'application/problem+json' } })
}
