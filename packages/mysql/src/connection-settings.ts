import { isIP } from 'node:net'
import { makeSecret, TidemarkError } from '@tidemark/core/adapter'
import type { DriverHandle, MysqlSourceConfig, TlsMode } from './mysql-config.ts'
import { parseDsn } from './parse-dsn.ts'

const DEFAULT_HOST = '127.0.0.1'
const DEFAULT_PORT = 3306
const DEFAULT_CONNECT_TIMEOUT_MS = 10_000
const DEFAULT_QUERY_TIMEOUT_MS = 120_000

/** Where and how to connect, with secrets resolved. Made for each connection and not kept. */
export interface ConnectionSettings {
  readonly host: string
  readonly port: number
  readonly socketPath: string | undefined
  readonly user: string | undefined
  readonly password: string | undefined
  readonly database: string | undefined
  /** mysql2's `ssl` option; `undefined`: plaintext. */
  readonly ssl: Readonly<Record<string, unknown>> | undefined
}

/** What is known of a configuration without resolving a secret. */
export interface SourceIdentity {
  /** Without credentials. */
  readonly address: string
  readonly database: string | undefined
  readonly connectTimeoutMs: number
  readonly queryTimeoutMs: number
  /** Resolves secrets anew each time, so rotation needs no restart. Errors: `SECRET_MISSING`, `CONFIG_INVALID`. */
  settings(): Promise<ConnectionSettings>
}

type Endpoint = Omit<ConnectionSettings, 'ssl'> & { readonly tls: TlsMode | undefined; readonly callerSsl?: unknown }

/** Checks a configuration without opening anything. Errors: `CONFIG_INVALID`. */
export function readConfig(config: MysqlSourceConfig): SourceIdentity {
  const timing = {
    connectTimeoutMs: positive(config.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS, 'connectTimeoutMs'),
    queryTimeoutMs: positive(config.queryTimeoutMs ?? DEFAULT_QUERY_TIMEOUT_MS, 'queryTimeoutMs'),
  }
  if ('url' in config && typeof config.url !== 'string') {
    const secret = makeSecret(config.url, 'url')
    const settings = async (): Promise<ConnectionSettings> => finish(fromUrl(await secret.reveal(), config.tls))
    return { ...timing, address: 'mysql://(by reference)', database: undefined, settings }
  }
  const endpoint = endpointOf(config)
  // Wrong TLS options are found now, not at the first connection.
  finish(endpoint)
  const secret = 'password' in config && config.password !== undefined ? makeSecret(config.password, 'password') : undefined
  const settings = async (): Promise<ConnectionSettings> =>
    finish(secret === undefined ? endpointOf(config) : { ...endpointOf(config), password: await secret.reveal() })
  return { ...timing, address: addressOf(endpoint), database: endpoint.database, settings }
}

function endpointOf(config: MysqlSourceConfig): Endpoint {
  if ('pool' in config) return fromDriver(config.pool, config.tls, 'pool')
  if ('connection' in config) return fromDriver(config.connection, config.tls, 'connection')
  // A `url` by reference never comes here.
  if ('url' in config) return fromUrl(typeof config.url === 'string' ? config.url : '', config.tls)
  return {
    host: config.host ?? DEFAULT_HOST,
    port: config.port ?? DEFAULT_PORT,
    socketPath: config.socketPath,
    user: config.user,
    password: undefined,
    database: config.database,
    tls: config.tls,
  }
}

function fromUrl(url: string, tls: TlsMode | undefined): Endpoint {
  const dsn = parseDsn(url)
  return { ...dsn, port: dsn.port ?? DEFAULT_PORT, socketPath: undefined, tls: tls ?? dsn.tls }
}

function fromDriver(handle: DriverHandle, tls: TlsMode | undefined, path: 'pool' | 'connection'): Endpoint {
  const settings = driverSettings(handle)
  if (settings === undefined) throw invalid(path, 'It is not a mysql2 pool or connection.')
  const text = (name: string): string | undefined => {
    const value = settings[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const port = Number(settings['port'] ?? DEFAULT_PORT)
  return {
    host: text('host') ?? DEFAULT_HOST, port, socketPath: text('socketPath'), user: text('user'), password: text('password'),
    database: text('database'), tls, callerSsl: settings['ssl'],
  }
}

/** Pools keep a connection's settings one level deeper, promise wrappers keep the wrapped object. */
function driverSettings(handle: DriverHandle): Readonly<Record<string, unknown>> | undefined {
  const inner = record(handle.pool) ?? record(handle.connection)
  const config = record(inner?.['config']) ?? record(handle.config)
  const settings = record(config?.['connectionConfig']) ?? config
  return settings !== undefined && 'host' in settings ? settings : undefined
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  // Any object may be looked into by name; every property is checked where it is used.
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined
}

function finish(endpoint: Endpoint): ConnectionSettings {
  const { tls, callerSsl, ...rest } = endpoint
  return { ...rest, ssl: sslOption(endpoint, callerSsl, tls) }
}

function sslOption(endpoint: Endpoint, callerSsl: unknown, tls: TlsMode | undefined): Readonly<Record<string, unknown>> | undefined {
  const own = record(callerSsl)
  // The application chose TLS settings for its pool: they hold, with the host checked wherever the certificate is.
  if (tls === undefined && own !== undefined) return { ...own, verifyIdentity: own['rejectUnauthorized'] !== false }
  const mode = tls ?? (isLocal(endpoint) ? 'disable' : 'verify')
  if (mode === 'disable') return undefined
  // mysql2 checks the host only when told to.
  const verified = { rejectUnauthorized: true, verifyIdentity: true, minVersion: 'TLSv1.2' }
  if (mode === 'verify') return verified
  if (mode === 'insecure-no-verify') return { rejectUnauthorized: false, verifyIdentity: false, minVersion: 'TLSv1.2' }
  if (record(mode)?.['ca'] === undefined) throw invalid('tls', 'It is \'verify\', \'disable\', \'insecure-no-verify\' or { ca }.')
  return { ...verified, ca: mode.ca }
}

function isLocal(endpoint: Endpoint): boolean {
  if (endpoint.socketPath !== undefined) return true
  const { host } = endpoint
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

function addressOf(endpoint: Endpoint): string {
  const place = endpoint.socketPath ?? `${isIP(endpoint.host) === 6 ? `[${endpoint.host}]` : endpoint.host}${endpoint.port === DEFAULT_PORT ? '' : `:${endpoint.port}`}`
  return `mysql://${place}${endpoint.database === undefined ? '' : `/${endpoint.database}`}`
}

function positive(value: number, path: string): number {
  if (!Number.isSafeInteger(value) || value < 1) throw invalid(path, 'It is a whole number of milliseconds above 0.')
  return value
}

function invalid(path: string, message: string): TidemarkError {
  return new TidemarkError('CONFIG_INVALID', 'The MySQL source is not configured rightly.', { issues: [{ path, message }] })
}
