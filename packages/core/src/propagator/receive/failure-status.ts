import type { TidemarkError } from '../../errors/tidemark-error.ts'

const STATUS: Readonly<Partial<Record<TidemarkError['code'], number>>> = {
  REQUEST_INVALID: 400, REQUEST_UNAUTHORIZED: 401, ORIGIN_TAKEN: 409, REQUEST_TOO_LARGE: 413,
}

/** For proxies and logs; a propagator goes by the code in the body. */
export function failureStatus(error: TidemarkError): number {
  if (error.code === 'REQUEST_INVALID' && error.detail === 'method') return 405
  return STATUS[error.code] ?? (error.retryable ? 503 : 500)
}
