import { TidemarkError, type ErrorCode } from '@tidemark/core/adapter'

/** Source: "Error responses" of the Amazon S3 API reference, and what R2, Ceph and Swift answer with. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  NoSuchKey: 'OBJECT_UNKNOWN', NoSuchUpload: 'UPLOAD_UNKNOWN',
  // A bucket of another region is told by a redirect, which is not followed: the signature is for this host.
  NoSuchBucket: 'BUCKET_UNKNOWN', PermanentRedirect: 'BUCKET_UNKNOWN', TemporaryRedirect: 'BUCKET_UNKNOWN', IllegalLocationConstraintException: 'BUCKET_UNKNOWN',
  InvalidPart: 'UPLOAD_PARTS_INVALID', InvalidPartOrder: 'UPLOAD_PARTS_INVALID', EntityTooSmall: 'UPLOAD_PARTS_INVALID', EntityTooLarge: 'UPLOAD_PARTS_INVALID',
  AccessDenied: 'STORAGE_AUTH_FAILED', InvalidAccessKeyId: 'STORAGE_AUTH_FAILED', SignatureDoesNotMatch: 'STORAGE_AUTH_FAILED', RequestTimeTooSkewed: 'STORAGE_AUTH_FAILED',
  AuthorizationHeaderMalformed: 'STORAGE_AUTH_FAILED', ExpiredToken: 'STORAGE_AUTH_FAILED', InvalidToken: 'STORAGE_AUTH_FAILED',
  SlowDown: 'STORAGE_BUSY', ServiceUnavailable: 'STORAGE_BUSY', TooManyRequests: 'STORAGE_BUSY', RequestTimeout: 'STORAGE_BUSY', OperationAborted: 'STORAGE_BUSY', InternalError: 'STORAGE_BUSY',
  BadDigest: 'STORAGE_UNREACHABLE', IncompleteBody: 'STORAGE_UNREACHABLE', XAmzContentSHA256Mismatch: 'STORAGE_UNREACHABLE',
  QuotaExceeded: 'STORAGE_FULL', InsufficientCapacity: 'STORAGE_FULL',
  PreconditionFailed: 'OBJECT_EXISTS', NotImplemented: 'NOT_SUPPORTED', MethodNotAllowed: 'NOT_SUPPORTED',
}

const STATUSES: Readonly<Record<number, ErrorCode>> = {
  301: 'BUCKET_UNKNOWN', 307: 'BUCKET_UNKNOWN', 308: 'BUCKET_UNKNOWN', 401: 'STORAGE_AUTH_FAILED', 403: 'STORAGE_AUTH_FAILED', 404: 'OBJECT_UNKNOWN', 405: 'NOT_SUPPORTED', 409: 'STORAGE_BUSY', 412: 'OBJECT_EXISTS', 429: 'STORAGE_BUSY', 500: 'STORAGE_BUSY', 501: 'NOT_SUPPORTED', 502: 'STORAGE_BUSY',
  503: 'STORAGE_BUSY', 504: 'STORAGE_BUSY', 507: 'STORAGE_FULL',
}

const SENTENCES: Partial<Record<ErrorCode, string>> = {
  OBJECT_UNKNOWN: 'There is no object of this key.',
  BUCKET_UNKNOWN: 'There is no such bucket, or it is in another region.',
  UPLOAD_UNKNOWN: 'There is no such upload.',
  UPLOAD_PARTS_INVALID: 'The storage does not take the upload\'s parts.',
  STORAGE_AUTH_FAILED: 'The storage refused the key, its signature, or what it may do.',
  STORAGE_UNREACHABLE: 'The request was damaged on its way.',
  STORAGE_BUSY: 'The storage asks to slow down, or failed for a moment.',
  STORAGE_FULL: 'The storage has no room left.',
  OBJECT_EXISTS: 'An object of this key exists.',
  NOT_SUPPORTED: 'The storage can not do that.',
}

/** What an S3 server answered, by its own code, or by the status where it gave none. Its message is left out: it may quote the request. */
export function s3Error(status: number, s3Code: string | undefined): TidemarkError {
  const code = CODES[s3Code ?? ''] ?? STATUSES[status] ?? 'STORAGE_FAILED'
  // Only what looks like a code: another server's text may quote the request.
  const detail = s3Code !== undefined && /^\w{1,64}$/.test(s3Code) ? s3Code : `HTTP ${status}`
  return new TidemarkError(code, SENTENCES[code] ?? `The storage reported an error (${detail}).`, { detail })
}
