import { TidemarkError, type ErrorCode } from '@tidemark/core/adapter'
import { sqliteError } from '../errors.ts'

/** Drivers report as if they were a target; here the database is the source. What is not named stays as it is. */
const AS_SOURCE: Partial<Record<ErrorCode, ErrorCode>> = {
  TARGET_UNREACHABLE: 'SOURCE_UNREACHABLE',
  TARGET_AUTH_FAILED: 'SOURCE_AUTH_FAILED',
  TARGET_BUSY: 'SOURCE_BUSY',
  TARGET_FAILED: 'SOURCE_FAILED',
  TARGET_CORRUPT: 'SOURCE_FAILED',
  TARGET_FULL: 'SOURCE_FAILED',
  TARGET_READ_ONLY: 'SOURCE_PERMISSION_DENIED',
  TARGET_ROW_TOO_LARGE: 'SOURCE_FAILED',
  TARGET_CONSTRAINT: 'SOURCE_FAILED',
}

const SENTENCES: Partial<Record<ErrorCode, string>> = {
  SOURCE_UNREACHABLE: 'The source database could not be opened or reached',
  SOURCE_AUTH_FAILED: 'The source refused the token or the user',
  SOURCE_BUSY: 'The source is locked',
  SOURCE_PERMISSION_DENIED: 'The source does not allow this to be read',
  SOURCE_FAILED: 'The source reported an error',
}

/** What a driver threw, as an error of a source. */
export function sourceError(error: unknown): TidemarkError {
  const mapped = sqliteError(error)
  const code = AS_SOURCE[mapped.code]
  if (code === undefined) return mapped
  return new TidemarkError(code, `${SENTENCES[code] ?? 'The source failed'} (${mapped.detail ?? mapped.code}).`, { detail: mapped.detail, cause: mapped.cause })
}
