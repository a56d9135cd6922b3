import { TidemarkError, type ErrorCode } from '@tidemark/core/adapter'
import { sqliteError } from '@tidemark/sqlite'

/** What `@libsql/client` says when the server could not be reached or answered no SQL. Source: its `hrana.ts`, `mapHranaErrorCode`. */
const CLIENT_CODES: Readonly<Record<string, ErrorCode>> = {
  HRANA_WEBSOCKET_ERROR: 'TARGET_UNREACHABLE',
  HRANA_CLOSED_ERROR: 'TARGET_UNREACHABLE',
  HRANA_PROTO_ERROR: 'TARGET_UNREACHABLE',
  SERVER_ERROR: 'TARGET_UNREACHABLE',
  // The server ends a transaction that took too long, and a stream that was idle.
  STREAM_EXPIRED: 'TARGET_BUSY',
  TRANSACTION_TIMEOUT: 'TARGET_BUSY',
  TRANSACTION_CLOSED: 'TARGET_UNREACHABLE',
  AUTH_JWT_INVALID: 'TARGET_AUTH_FAILED',
  AUTH_JWT_EXPIRED: 'TARGET_AUTH_FAILED',
  URL_INVALID: 'CONFIG_INVALID',
  URL_SCHEME_NOT_SUPPORTED: 'CONFIG_INVALID',
  URL_PARAM_NOT_SUPPORTED: 'CONFIG_INVALID',
  CLIENT_CLOSED: 'CLOSED',
}

/** Names that Node gives to failures of a connection; `fetch` hides them one level down. */
const NETWORK_CODE = /^(?:E[A-Z]{4,}|EAI_[A-Z]+|UND_ERR_[A-Z_]+|CERT_[A-Z_]+|ERR_TLS_[A-Z_]+|[A-Z_]*SELF_SIGNED[A-Z_]*)$/

const SENTENCES: Partial<Record<ErrorCode, string>> = {
  TARGET_UNREACHABLE: 'The libSQL server could not be reached or did not answer',
  TARGET_BUSY: 'The libSQL server is temporarily unable to answer',
  TARGET_AUTH_FAILED: 'The libSQL server refused the token',
  CONFIG_INVALID: 'The address of the libSQL database can not be used',
  CLOSED: 'The libSQL client is closed',
}

/**
 * Maps what `libsql` or `@libsql/client` threw: HTTP status and network failures here, SQLite's own codes by
 * `sqliteError`. Nothing of the original is kept but its code: messages of fetch and of the server carry the address.
 */
export function libsqlError(error: unknown): TidemarkError {
  if (error instanceof TidemarkError) return error
  const chain = causes(error)
  const status = chain.map(statusOf).find((value) => value !== undefined)
  if (status !== undefined) return mapped(codeOfStatus(status), `HTTP ${status}`)
  const names = chain.map(codeOf).filter((value) => value !== undefined)
  const known = names.find((name) => CLIENT_CODES[name] !== undefined)
  if (known !== undefined) return mapped(CLIENT_CODES[known] ?? 'TARGET_FAILED', known)
  const network = names.find((name) => !name.startsWith('SQLITE') && NETWORK_CODE.test(name))
  return network === undefined ? sqliteError(error) : mapped('TARGET_UNREACHABLE', network)
}

/** `libsql` gives no code at all when it can't open a file: whatever fails then is the opening. */
export function openError(error: unknown): TidemarkError {
  const known = libsqlError(error)
  return known.code === 'TARGET_FAILED' ? mapped('TARGET_UNREACHABLE', known.detail || 'OPEN_FAILED') : known
}

function mapped(code: ErrorCode, detail: string): TidemarkError {
  return new TidemarkError(code, `${SENTENCES[code] ?? 'The libSQL server reported an error'} (${detail}).`, { detail, cause: { code: detail } })
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 401 || status === 403) return 'TARGET_AUTH_FAILED'
  return status === 429 || status === 503 ? 'TARGET_BUSY' : 'TARGET_UNREACHABLE'
}

/** An error and what it was caused by; a few levels are enough, and a cycle ends. */
function causes(error: unknown): readonly object[] {
  const chain: object[] = []
  for (let at: unknown = error; typeof at === 'object' && at !== null && chain.length < 5; at = 'cause' in at ? at.cause : undefined) chain.push(at)
  return chain
}

function statusOf(error: object): number | undefined {
  return 'status' in error && typeof error.status === 'number' ? error.status : undefined
}

function codeOf(error: object): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
