import type { SecretInput } from '@tidemark/core/adapter'

/**
 * `verify` checks certificate chain and host name. `disable` is plaintext. `insecure-no-verify` encrypts without
 * knowing to whom. An object verifies against its `ca`.
 *
 * Default: `disable` for loopback addresses and Unix sockets, `verify` for every other host.
 */
export type PostgresTls = 'verify' | 'disable' | 'insecure-no-verify' | PostgresTlsOptions

export interface PostgresTlsOptions {
  /** PEM of the authorities to trust instead of the host's own list. */
  readonly ca?: string | readonly string[] | undefined
  /** PEM of a client certificate and its key. */
  readonly cert?: string | undefined
  readonly key?: SecretInput | undefined
  /** The name the certificate must carry, when it is not the host's. */
  readonly servername?: string | undefined
}

interface CommonConfig {
  /** Schema of table names written without one. Default: `public`. */
  readonly defaultSchema?: string | undefined
  readonly tls?: PostgresTls | undefined
  /** Time to open a connection, in milliseconds. Default: 15,000. */
  readonly connectTimeoutMs?: number | undefined
  /** Time of one query, in milliseconds; of a stream, the longest silence. Default: 120,000. */
  readonly queryTimeoutMs?: number | undefined
  /** Shown in `pg_stat_activity`. Default: `tidemark`. */
  readonly applicationName?: string | undefined
  /** Named prepared statements. Set to `false` behind a pooler that can't keep them. Default: `true`. */
  readonly prepare?: boolean | undefined
}

export interface PostgresUrlConfig extends CommonConfig {
  /** `postgres://user:password@host:port/database?sslmode=...`, or where to find it. */
  readonly url: SecretInput
}

export interface PostgresHostConfig extends CommonConfig {
  /** Name, address, or the folder of a Unix socket. */
  readonly host: string
  /** Default: 5432. */
  readonly port?: number | undefined
  readonly user: string
  readonly password?: SecretInput | undefined
  readonly database: string
}

/** The subset of a postgres.js instance that is read: its parsed options. */
export interface PostgresJsInstance {
  readonly options: PostgresJsOptions
}

export interface PostgresJsOptions {
  readonly host: string | readonly string[]
  readonly port: number | readonly number[]
  readonly path?: string | false | undefined
  readonly user: string
  readonly pass?: string | (() => string | Promise<string>) | null | undefined
  readonly database: string
  readonly ssl?: unknown
}

export interface PostgresJsConfig extends CommonConfig {
  /** A postgres.js instance of the application. Only its options are read: it is never queried and never ended. */
  readonly sql: PostgresJsInstance
}

export type PostgresConfig = PostgresUrlConfig | PostgresHostConfig | PostgresJsConfig
