import type { SecretInput } from '@tidemark/core/adapter'

/**
 * - `verify`: the certificate must be valid and for this host. The default for every host that is not this machine.
 * - `disable`: no TLS. The default for loopback addresses and sockets.
 * - `insecure-no-verify`: encrypted, but to whoever answers.
 * - `{ ca }`: `verify` against these PEM certificate authorities.
 *
 * There is no mode that falls back to plaintext.
 */
export type TlsMode = 'verify' | 'disable' | 'insecure-no-verify' | { readonly ca: string | readonly string[] }

export interface MysqlTimingOptions {
  readonly tls?: TlsMode | undefined
  /** Limit for opening a connection, its session's settings included, in milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number | undefined
  /** Limit for one statement, in milliseconds; not for a stream, which lasts as long as its reader. Default 120,000. */
  readonly queryTimeoutMs?: number | undefined
}

export interface MysqlUrlConfig extends MysqlTimingOptions {
  /** `mysql://user:password@host:port/database?ssl-mode=VERIFY_IDENTITY`, or where to find it. */
  readonly url: SecretInput
}

export interface MysqlHostConfig extends MysqlTimingOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string | undefined
  /** Default 3306. */
  readonly port?: number | undefined
  /** A Unix socket instead of host and port. */
  readonly socketPath?: string | undefined
  readonly user?: string | undefined
  readonly password?: SecretInput | undefined
  /** Database of names without one. */
  readonly database?: string | undefined
}

/** What is read of a mysql2 pool or connection: the settings, to open a connection of our own with them. */
export interface DriverHandle {
  readonly config?: unknown
  /** mysql2/promise keeps the callback object here. */
  readonly pool?: unknown
  readonly connection?: unknown
}

export interface MysqlPoolConfig extends MysqlTimingOptions {
  /** A mysql2 pool of the application. Its settings are used; it is never queried and never ended. */
  readonly pool: DriverHandle
}

export interface MysqlConnectionConfig extends MysqlTimingOptions {
  /** A mysql2 connection of the application. Its settings are used; it is never queried and never ended. */
  readonly connection: DriverHandle
}

export type MysqlSourceConfig = MysqlUrlConfig | MysqlHostConfig | MysqlPoolConfig | MysqlConnectionConfig
