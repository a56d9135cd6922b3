import type { ErrorCode, TidemarkError } from '@tidemark/core'

/** Statuses that do not follow from the code's first word. */
const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  CONFIG_INVALID: 400,
  NAME_UNKNOWN: 404, ROUTE_UNKNOWN: 404, EXPORT_UNKNOWN: 404, OBJECT_UNKNOWN: 404, TABLE_UNKNOWN: 404,
  NOT_SUPPORTED: 422, NOTHING_SELECTED: 422, CALLBACK_REFUSED: 422, IDEMPOTENCY_KEY_REUSED: 422,
  REQUEST_INVALID: 400, REQUEST_UNAUTHORIZED: 401, REQUEST_FORBIDDEN: 403, DOWNLOAD_REFUSED: 403, REQUEST_TOO_LARGE: 413,
  EXPORT_NOT_READY: 409, LEASE_HELD: 409, LEASE_LOST: 409, STATE_CONFLICT: 409, SUBSCRIBER_EXISTS: 409, CHECKPOINT_FOREIGN: 409,
  TARGET_NOT_OWNED: 409,
  DUMP_INCOMPLETE: 404, DUMP_CORRUPT: 422, DUMP_FOREIGN: 422, DUMP_NEWER: 422, DUMP_KEY_MISSING: 422, DUMP_KEY_WRONG: 422, STATEMENT_FAILED: 422,
  CHANGE_GAP: 410,
  TOO_MANY_REQUESTS: 429, TIMEOUT: 504, ABORTED: 503, CLOSED: 503, TOO_MANY_FEEDS: 503,
}

/** What of `REQUEST_INVALID` has a status of its own, by its detail. */
const DETAILS: Readonly<Record<string, number>> = { 'method': 405, 'content-type': 415, 'timeout': 408, 'range': 416, 'upgrade': 426 }

/** For proxies and for people; a program goes by the code. A failure behind us is 502 or 503, one of ours 500 or 503: what may pass is 503. */
export function statusOf({ code, detail, retryable }: Pick<TidemarkError, 'code' | 'detail' | 'retryable'>): number {
  if (code === 'REQUEST_INVALID' && detail !== undefined && DETAILS[detail] !== undefined) return DETAILS[detail]
  if (code === 'EXPORT_NOT_READY' && detail === 'failed') return 500
  if (STATUS[code] !== undefined) return STATUS[code]
  if (retryable) return 503
  return code.startsWith('SOURCE_') || code.startsWith('STORAGE_') ? 502 : 500
}
