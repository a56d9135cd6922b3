import { TidemarkError, type ErrorCode } from '@tidemark/core/adapter'

/**
 * R2 tells its code at the end of the message, `put: … (10058)`, and nowhere else; that is read here and in no other place. Source: "Error codes" of R2's
 * documentation.
 */
const CODES: Readonly<Record<string, ErrorCode>> = {
  10006: 'BUCKET_UNKNOWN', 10007: 'OBJECT_UNKNOWN', 10011: 'UPLOAD_PARTS_INVALID', 10024: 'UPLOAD_UNKNOWN', 10025: 'UPLOAD_PARTS_INVALID', 10029: 'UPLOAD_PARTS_INVALID', 10048: 'UPLOAD_PARTS_INVALID',
  10039: 'CONFIG_INVALID', 10001: 'STORAGE_BUSY', 10043: 'STORAGE_BUSY', 10054: 'STORAGE_BUSY', 10058: 'STORAGE_BUSY', 10002: 'STORAGE_AUTH_FAILED', 10003: 'STORAGE_AUTH_FAILED', 10015: 'STORAGE_FULL', 10045: 'STORAGE_FULL',
}

const SENTENCES: Partial<Record<ErrorCode, string>> = {
  UPLOAD_UNKNOWN: 'There is no such upload.', UPLOAD_PARTS_INVALID: 'The storage does not take the upload\'s parts.', STORAGE_BUSY: 'The storage asks to slow down, or failed for a moment.',
  STORAGE_UNREACHABLE: 'The bucket could not be reached.', OBJECT_UNKNOWN: 'There is no object of this key.', BUCKET_UNKNOWN: 'There is no such bucket.', CONFIG_INVALID: 'The range is not within the object.',
}

/** What an R2 binding threw, by its number. */
export function r2Error(error: unknown): TidemarkError {
  if (error instanceof TidemarkError) return error
  const number = /\((\d{5})\)\s*$/.exec(error instanceof Error ? error.message : '')?.[1]
  const code = number === undefined ? unnumbered(error) : CODES[number] ?? 'STORAGE_FAILED'
  const detail = number === undefined ? (error instanceof Error ? error.name : typeof error) : `R2 ${number}`
  return new TidemarkError(code, SENTENCES[code] ?? `R2 reported an error (${detail}).`, { detail })
}

/** What has no number does not come from R2: the connection to it is lost, or a value is none that the binding takes. */
function unnumbered(error: unknown): ErrorCode {
  return error instanceof TypeError || error instanceof RangeError ? 'STORAGE_FAILED' : 'STORAGE_UNREACHABLE'
}
