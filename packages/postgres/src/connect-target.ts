import { makeSecret, readEnvironment, TidemarkError } from '@tidemark/core/adapter'
import type { Secret } from '@tidemark/core/adapter'
import { parseDsn, type Dsn } from './parse-dsn.ts'
import type { PostgresConfig, PostgresHostConfig, PostgresJsConfig, PostgresTls, PostgresUrlConfig } from './postgres-config.ts'

/** Where to connect and as whom: what every form of configuration comes down to. */
export interface ConnectTarget {
  readonly host: string
  readonly port: number
  /** The Unix socket's path, instead of host and port. */
  readonly path: string | undefined
  readonly user: string
  readonly password: Secret | undefined
  readonly database: string
  readonly tls: PostgresTls
  /** libpq's `options` parameter, as some hosted services need it to route. */
  readonly options: string | undefined
}

const DEFAULT_PORT = 5432

/** Errors: `CONFIG_INVALID`, `SECRET_MISSING`. */
export async function resolveTarget(config: PostgresConfig): Promise<ConnectTarget> {
  if ('url' in config) return targetOfDsn(parseDsn(await makeSecret(config.url, 'url').reveal()), config)
  return 'sql' in config ? targetOfInstance(config) : targetOfHost(config)
}

/** The database that a configuration names. Opens nothing. Errors: as {@link resolveTarget}. */
export async function databaseOf(config: PostgresConfig): Promise<string> {
  return (await resolveTarget(config)).database
}

/**
 * The address without credentials. A URL that only a function knows has none before the first connection; then the
 * address names no host.
 */
export function addressOf(config: PostgresConfig): string {
  if (!('url' in config)) return format('sql' in config ? targetOfInstance(config) : targetOfHost(config))
  const url = typeof config.url === 'object' ? readEnvironment(config.url.env) : config.url
  return typeof url === 'string' ? format(targetOfDsn(parseDsn(url), config)) : 'postgres://(by reference)'
}

function format(target: ConnectTarget): string {
  const host = target.host.includes(':') ? `[${target.host}]` : encodeURIComponent(target.host)
  const port = target.port === DEFAULT_PORT ? '' : `:${target.port}`
  return `postgres://${host}${port}/${encodeURIComponent(target.database)}`
}

function targetOfDsn(dsn: Dsn, config: PostgresUrlConfig): ConnectTarget {
  const host = dsn.host ?? 'localhost'
  if (dsn.user === undefined) throw invalid('url', 'names no user')
  if (host.includes(',')) throw invalid('url', 'names more than one host')
  return {
    ...endpoint(host, dsn.port ?? DEFAULT_PORT),
    user: dsn.user,
    password: dsn.password === undefined ? undefined : makeSecret(dsn.password, 'password'),
    database: dsn.database ?? dsn.user,
    tls: config.tls ?? tlsOfParameters(dsn.parameters) ?? defaultTls(host),
    options: dsn.parameters.get('options'),
  }
}

function targetOfHost(config: PostgresHostConfig): ConnectTarget {
  return {
    ...endpoint(config.host, config.port ?? DEFAULT_PORT),
    user: config.user,
    password: config.password === undefined ? undefined : makeSecret(config.password, 'password'),
    database: config.database,
    tls: config.tls ?? defaultTls(config.host),
    options: undefined,
  }
}

function targetOfInstance(config: PostgresJsConfig): ConnectTarget {
  const { options } = config.sql
  const host = [options.host].flat()[0] ?? 'localhost'
  const { pass } = options
  return {
    host,
    port: [options.port].flat()[0] ?? DEFAULT_PORT,
    path: typeof options.path === 'string' ? options.path : undefined,
    user: options.user,
    password: pass === undefined || pass === null || pass === '' ? undefined : makeSecret(pass, 'password'),
    database: options.database,
    tls: config.tls ?? tlsOfInstance(options.ssl, host),
    options: undefined,
  }
}

/** As libpq: a host that begins with a slash is the folder of the socket. */
function endpoint(host: string, port: number): Pick<ConnectTarget, 'host' | 'port' | 'path'> {
  return { host, port, path: host.startsWith('/') ? `${host}/.s.PGSQL.${port}` : undefined }
}

/**
 * libpq's `require`, `prefer` and `allow` encrypt without verifying, which tells an eavesdropper apart from nobody;
 * here each of them verifies, and only `disable` is taken at its word.
 */
function tlsOfParameters(parameters: ReadonlyMap<string, string>): PostgresTls | undefined {
  const rootCertificate = parameters.get('sslrootcert')
  if (rootCertificate !== undefined && rootCertificate !== 'system') throw invalid('url', 'has sslrootcert: give the certificate in tls.ca')
  const mode = parameters.get('sslmode') ?? parameters.get('ssl')
  if (mode === undefined) return rootCertificate === undefined ? undefined : 'verify'
  return mode === 'disable' || mode === 'false' ? 'disable' : 'verify'
}

function tlsOfInstance(ssl: unknown, host: string): PostgresTls {
  if (ssl === false || ssl === undefined || ssl === null) return isLocal(host) ? 'disable' : 'verify'
  if (typeof ssl !== 'object') return 'verify'
  // An options object of the application: what it says about verification is its owner's explicit word.
  const options = ssl as { readonly rejectUnauthorized?: unknown; readonly ca?: string; readonly servername?: string }
  return options.rejectUnauthorized === false ? 'insecure-no-verify' : { ca: options.ca, servername: options.servername }
}

function defaultTls(host: string): PostgresTls {
  return isLocal(host) ? 'disable' : 'verify'
}

function isLocal(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

function invalid(path: string, fault: string): TidemarkError {
  return new TidemarkError('CONFIG_INVALID', `The option ${path} ${fault}.`, { issues: [{ path, message: fault }] })
}
