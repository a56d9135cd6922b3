import { TidemarkError } from '@tidemark/core/adapter'
import type { ErrorCode } from '@tidemark/core/adapter'

/** PostgreSQL manual, appendix A. Whole codes first, classes (two characters) after. */
const SQLSTATES: Readonly<Record<string, ErrorCode>> = {
  '3D000': 'SOURCE_AUTH_FAILED',
  '42501': 'SOURCE_PERMISSION_DENIED',
  '42P01': 'TABLE_UNKNOWN',
  '3F000': 'TABLE_UNKNOWN',
  '42703': 'COLUMN_UNKNOWN',
  '57014': 'TIMEOUT',
  '40001': 'SOURCE_BUSY',
  '40P01': 'SOURCE_BUSY',
  '55P03': 'SOURCE_BUSY',
  '57P01': 'SOURCE_BUSY',
  '57P02': 'SOURCE_BUSY',
  '57P03': 'SOURCE_BUSY',
  '57P04': 'SOURCE_AUTH_FAILED',
  '57P05': 'SOURCE_BUSY',
  '0A000': 'NOT_SUPPORTED',
  '28': 'SOURCE_AUTH_FAILED',
  '53': 'SOURCE_BUSY',
  '08': 'SOURCE_UNREACHABLE',
}

/** Names that Node, its TLS and postgres.js give to failures of the connection. */
const CONNECTION_CODES: Readonly<Record<string, ErrorCode>> = {
  CONNECT_TIMEOUT: 'SOURCE_UNREACHABLE',
  CONNECTION_CLOSED: 'SOURCE_UNREACHABLE',
  CONNECTION_ENDED: 'SOURCE_UNREACHABLE',
  CONNECTION_DESTROYED: 'SOURCE_UNREACHABLE',
  SASL_SIGNATURE_MISMATCH: 'SOURCE_AUTH_FAILED',
  ECONNREFUSED: 'SOURCE_UNREACHABLE',
  ECONNRESET: 'SOURCE_UNREACHABLE',
  ECONNABORTED: 'SOURCE_UNREACHABLE',
  EPIPE: 'SOURCE_UNREACHABLE',
  ETIMEDOUT: 'SOURCE_UNREACHABLE',
  EHOSTUNREACH: 'SOURCE_UNREACHABLE',
  EHOSTDOWN: 'SOURCE_UNREACHABLE',
  ENETUNREACH: 'SOURCE_UNREACHABLE',
  ENETDOWN: 'SOURCE_UNREACHABLE',
  ENOTFOUND: 'SOURCE_UNREACHABLE',
  EAI_AGAIN: 'SOURCE_UNREACHABLE',
  ENOENT: 'SOURCE_UNREACHABLE',
  EACCES: 'SOURCE_UNREACHABLE',
  EPROTO: 'SOURCE_TLS_FAILED',
  CERT_HAS_EXPIRED: 'SOURCE_TLS_FAILED',
  CERT_NOT_YET_VALID: 'SOURCE_TLS_FAILED',
  CERT_REVOKED: 'SOURCE_TLS_FAILED',
  CERT_SIGNATURE_FAILURE: 'SOURCE_TLS_FAILED',
  CERT_UNTRUSTED: 'SOURCE_TLS_FAILED',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'SOURCE_TLS_FAILED',
  SELF_SIGNED_CERT_IN_CHAIN: 'SOURCE_TLS_FAILED',
  UNABLE_TO_GET_ISSUER_CERT: 'SOURCE_TLS_FAILED',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'SOURCE_TLS_FAILED',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'SOURCE_TLS_FAILED',
  HOSTNAME_MISMATCH: 'SOURCE_TLS_FAILED',
  INVALID_CA: 'SOURCE_TLS_FAILED',
}

const MESSAGES: Readonly<Partial<Record<ErrorCode, string>>> = {
  SOURCE_AUTH_FAILED: 'The source refused the connection\'s user, password or database',
  SOURCE_BUSY: 'The source is temporarily unable to answer',
  SOURCE_PERMISSION_DENIED: 'The source user may not read this table',
  SOURCE_TLS_FAILED: 'The TLS connection to the source could not be verified',
  SOURCE_UNREACHABLE: 'The connection to the source failed',
  TABLE_UNKNOWN: 'The source has no such table or view',
  COLUMN_UNKNOWN: 'The source has no such column',
  NOT_SUPPORTED: 'The source does not support this',
  TIMEOUT: 'The source ended the query at its time limit',
}

/**
 * Maps what postgres.js or the host threw to a code, by SQLSTATE or errno name and never by message. Nothing of the
 * original is kept but that name: a server's message may quote a row, a driver's error carries query and parameters.
 */
export function mapPostgresError(error: unknown): TidemarkError {
  if (error instanceof TidemarkError) return error
  const engineCode = codeOf(error)
  const code = engineCode === undefined ? undefined : classify(engineCode)
  if (engineCode === undefined || code === undefined) return unexpected(error)
  const message = MESSAGES[code] ?? 'The source reported an error'
  return new TidemarkError(code, `${message} (${engineCode}).`, { detail: engineCode, cause: { code: engineCode } })
}

function classify(engineCode: string): ErrorCode | undefined {
  if (CONNECTION_CODES[engineCode] !== undefined) return CONNECTION_CODES[engineCode]
  if (/^ERR_(?:TLS|SSL|OSSL)_/.test(engineCode)) return 'SOURCE_TLS_FAILED'
  if (!/^[0-9A-Z]{5}$/.test(engineCode)) return undefined
  return SQLSTATES[engineCode] ?? SQLSTATES[engineCode.slice(0, 2)] ?? 'SOURCE_FAILED'
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  // Any object may have these; both are looked at before use. Several addresses of one host that all fail give an
  // AggregateError: the first tells as much as any.
  const { code, errors } = error as { readonly code?: unknown; readonly errors?: unknown }
  if (typeof code === 'string') return code
  return Array.isArray(errors) ? codeOf(errors[0]) : undefined
}

function unexpected(error: unknown): TidemarkError {
  const name = error instanceof Error ? error.name : typeof error
  return new TidemarkError('SOURCE_FAILED', `The driver of the source threw an unexpected ${name}.`, { cause: { name } })
}
