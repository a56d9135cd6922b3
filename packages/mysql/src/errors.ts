import { TidemarkError, type ErrorCode } from '@tidemark/core/adapter'

/** Where the error arose: some numbers mean another thing while a connection is being opened. */
export type ErrorPhase = 'connect' | 'query'

/** Numbers of MySQL's and MariaDB's error references ("Server Error Message Reference"). */
const BY_ERRNO: Readonly<Record<number, ErrorCode>> = {
  1040: 'SOURCE_BUSY', // ER_CON_COUNT_ERROR
  1044: 'SOURCE_PERMISSION_DENIED', // ER_DBACCESS_DENIED_ERROR
  1045: 'SOURCE_AUTH_FAILED', // ER_ACCESS_DENIED_ERROR
  1049: 'TABLE_UNKNOWN', // ER_BAD_DB_ERROR
  1051: 'TABLE_UNKNOWN', // ER_BAD_TABLE_ERROR
  1053: 'SOURCE_UNREACHABLE', // ER_SERVER_SHUTDOWN
  1054: 'COLUMN_UNKNOWN', // ER_BAD_FIELD_ERROR
  1129: 'SOURCE_AUTH_FAILED', // ER_HOST_IS_BLOCKED
  1130: 'SOURCE_AUTH_FAILED', // ER_HOST_NOT_PRIVILEGED
  1142: 'SOURCE_PERMISSION_DENIED', // ER_TABLEACCESS_DENIED_ERROR
  1143: 'SOURCE_PERMISSION_DENIED', // ER_COLUMNACCESS_DENIED_ERROR
  1146: 'TABLE_UNKNOWN', // ER_NO_SUCH_TABLE
  1203: 'SOURCE_BUSY', // ER_TOO_MANY_USER_CONNECTIONS
  1205: 'SOURCE_BUSY', // ER_LOCK_WAIT_TIMEOUT
  1213: 'SOURCE_BUSY', // ER_LOCK_DEADLOCK
  1226: 'SOURCE_BUSY', // ER_USER_LIMIT_REACHED
  1227: 'SOURCE_PERMISSION_DENIED', // ER_SPECIFIC_ACCESS_DENIED_ERROR
  1251: 'SOURCE_AUTH_FAILED', // ER_NOT_SUPPORTED_AUTH_MODE
  1290: 'SOURCE_FAILED', // ER_OPTION_PREVENTS_STATEMENT
  1317: 'SOURCE_BUSY', // ER_QUERY_INTERRUPTED
  1356: 'SOURCE_PERMISSION_DENIED', // ER_VIEW_INVALID
  1370: 'SOURCE_PERMISSION_DENIED', // ER_PROCACCESS_DENIED_ERROR
  1412: 'SOURCE_BUSY', // ER_TABLE_DEF_CHANGED
  1524: 'SOURCE_AUTH_FAILED', // ER_PLUGIN_IS_NOT_LOADED
  1615: 'SOURCE_BUSY', // ER_NEED_REPREPARE
  1698: 'SOURCE_AUTH_FAILED', // ER_ACCESS_DENIED_NO_PASSWORD_ERROR
  1820: 'SOURCE_AUTH_FAILED', // ER_MUST_CHANGE_PASSWORD
  1862: 'SOURCE_AUTH_FAILED', // ER_MUST_CHANGE_PASSWORD_LOGIN
  1927: 'SOURCE_UNREACHABLE', // ER_CONNECTION_KILLED (MariaDB)
  1969: 'TIMEOUT', // ER_STATEMENT_TIMEOUT (MariaDB)
  2006: 'SOURCE_UNREACHABLE', // CR_SERVER_GONE_ERROR
  2013: 'SOURCE_UNREACHABLE', // CR_SERVER_LOST
  3024: 'TIMEOUT', // ER_QUERY_TIMEOUT
  3118: 'SOURCE_AUTH_FAILED', // ER_ACCOUNT_HAS_BEEN_LOCKED
  3159: 'SOURCE_TLS_FAILED', // ER_SECURE_TRANSPORT_REQUIRED
  3572: 'SOURCE_BUSY', // ER_LOCK_NOWAIT
  4031: 'SOURCE_UNREACHABLE', // ER_CLIENT_INTERACTION_TIMEOUT
  4151: 'SOURCE_AUTH_FAILED', // ER_ACCOUNT_HAS_BEEN_LOCKED (MariaDB)
}

const BY_NAME: Readonly<Record<string, ErrorCode>> = {
  ECONNREFUSED: 'SOURCE_UNREACHABLE',
  ECONNRESET: 'SOURCE_UNREACHABLE',
  ECONNABORTED: 'SOURCE_UNREACHABLE',
  EAI_AGAIN: 'SOURCE_UNREACHABLE',
  EHOSTUNREACH: 'SOURCE_UNREACHABLE',
  ENETUNREACH: 'SOURCE_UNREACHABLE',
  ENOENT: 'SOURCE_UNREACHABLE', // a socket path without a server
  ENOTFOUND: 'SOURCE_UNREACHABLE',
  EPIPE: 'SOURCE_UNREACHABLE',
  ETIMEDOUT: 'SOURCE_UNREACHABLE',
  PROTOCOL_CONNECTION_LOST: 'SOURCE_UNREACHABLE',
  PROTOCOL_SEQUENCE_TIMEOUT: 'TIMEOUT',
  AUTH_SWITCH_PLUGIN_ERROR: 'SOURCE_AUTH_FAILED',
  HANDSHAKE_NO_SSL_SUPPORT: 'SOURCE_TLS_FAILED',
  HANDSHAKE_SSL_ERROR: 'SOURCE_TLS_FAILED',
  EPROTO: 'SOURCE_TLS_FAILED',
}

const NO_CODE = 'UNKNOWN'

/** Names that Node gives to failed certificate checks and broken handshakes (documentation of `node:tls`, "X509 certificate error codes"). */
const TLS_NAME = /^(?:ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERROR_IN_CERT_|HOSTNAME_MISMATCH|INVALID_CA|CRL_)/u

const MESSAGES: Partial<Readonly<Record<ErrorCode, string>>> = {
  SOURCE_AUTH_FAILED: 'The MySQL server refused the user, the password or the database.',
  SOURCE_BUSY: 'The MySQL server is busy or a lock was not granted.',
  SOURCE_PERMISSION_DENIED: 'The MySQL user lacks a privilege for this statement.',
  SOURCE_TLS_FAILED: 'The TLS connection to the MySQL server could not be made or verified.',
  SOURCE_UNREACHABLE: 'The MySQL server could not be reached, or the connection broke.',
  TABLE_UNKNOWN: 'The MySQL server has no such database, table or view.',
  COLUMN_UNKNOWN: 'The table has no such column.',
  TIMEOUT: 'The MySQL server ended the statement at its time limit.',
}

/** What of a driver's error may travel: its names and numbers. Message, statement and values stay behind. */
export class MysqlError extends Error {
  override readonly name: string = 'MysqlError'
  readonly code: string
  readonly errno: number | undefined
  readonly sqlState: string | undefined

  constructor(facts: DriverFacts) {
    super(`MySQL error ${facts.code}${facts.errno === undefined ? '' : ` (${facts.errno})`}`)
    this.code = facts.code
    this.errno = facts.errno
    this.sqlState = facts.sqlState
  }
}

interface DriverFacts {
  readonly code: string
  readonly errno: number | undefined
  readonly sqlState: string | undefined
}

/** Maps a driver's error by number or name, never by message. A `TidemarkError` passes through. */
export function toMysqlError(error: unknown, phase: ErrorPhase): TidemarkError {
  if (error instanceof TidemarkError) return error
  const facts = readFacts(error)
  const code = chooseCode(facts, phase)
  const message = MESSAGES[code] ?? 'The MySQL server reported an error.'
  return new TidemarkError(code, message, { cause: new MysqlError(facts), detail: facts.code })
}

/** The server's number of an error that {@link toMysqlError} has made. */
export function errnoOf(error: unknown): number | undefined {
  return error instanceof TidemarkError && error.cause instanceof MysqlError ? error.cause.errno : undefined
}

function chooseCode(facts: DriverFacts, phase: ErrorPhase): ErrorCode {
  // While connecting, both speak of the database in the options, not of a table.
  if (phase === 'connect' && (facts.errno === 1044 || facts.errno === 1049)) return 'SOURCE_AUTH_FAILED'
  const byNumber = facts.errno === undefined ? undefined : BY_ERRNO[facts.errno]
  if (byNumber !== undefined) return byNumber
  if (TLS_NAME.test(facts.code)) return 'SOURCE_TLS_FAILED'
  // A server says what is wrong, and so does Node; the sockets of a Worker only fail.
  if (phase === 'connect' && facts.code === NO_CODE && facts.errno === undefined) return 'SOURCE_UNREACHABLE'
  return BY_NAME[facts.code] ?? 'SOURCE_FAILED'
}

function readFacts(error: unknown): DriverFacts {
  // Driver errors are plain Errors with properties; each is checked before use.
  const raw = (typeof error === 'object' && error !== null ? error : {}) as Readonly<Record<string, unknown>>
  // A refused connection to a name with two addresses is an AggregateError whose own code is that of its parts.
  const code = typeof raw['code'] === 'string' && raw['code'] !== '' ? raw['code'] : NO_CODE
  // Socket errors carry negative system numbers in `errno`.
  const errno = typeof raw['errno'] === 'number' && raw['errno'] > 0 ? raw['errno'] : undefined
  return { code, errno, sqlState: typeof raw['sqlState'] === 'string' ? raw['sqlState'] : undefined }
}
