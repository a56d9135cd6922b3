import { TidemarkError } from '../../errors/tidemark-error.ts'
import type { ErrorCode } from '../../errors/error-codes.ts'

/** What a status means where the body says nothing: it then comes from a proxy, a gateway or something else in between. */
export function statusError(status: number): TidemarkError {
  return new TidemarkError(codeOf(status), `The peer answered with status ${status}.`, { detail: String(status) })
}

function codeOf(status: number): ErrorCode {
  if (status === 401 || status === 403) return 'PEER_AUTH_FAILED'
  if (status === 413) return 'PEER_TOO_LARGE'
  if (status === 408 || status === 429 || status >= 500) return 'PEER_BUSY'
  return 'PEER_ANSWER_INVALID'
}
