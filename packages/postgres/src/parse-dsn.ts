import { TidemarkError } from '@tidemark/core/adapter'

/** A connection string in parts, percent-decoded. Parameters keep their order of appearance; a later one wins. */
export interface Dsn {
  readonly user: string | undefined
  readonly password: string | undefined
  /** A host name, an address without brackets, or the folder of a Unix socket. */
  readonly host: string | undefined
  readonly port: number | undefined
  readonly database: string | undefined
  readonly parameters: ReadonlyMap<string, string>
}

// Only one bare `@` in the whole string: a password with one of its own would spill into host, database or parameters.
const SHAPE = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?(\[[^\]@]*\]|[^:/?#@]*)(?::([^/?#@]*))?(?:\/([^/?#@]*))?(?:\?([^#@]*))?$/

/**
 * Reads a connection URI (PostgreSQL manual, 34.1.1.2). Done by hand because the errors of `new URL()` and of drivers
 * carry the whole string, and with it the password. Errors: `CONFIG_INVALID`, which never quotes the string.
 */
export function parseDsn(dsn: string): Dsn {
  const match = SHAPE.exec(dsn)
  if (match === null) throw invalid('is not of the form postgres://user:password@host:port/database')
  const [, credentials = '', host = '', port, database, query = ''] = match
  const colon = credentials.indexOf(':')
  const parameters = parseParameters(query)
  return {
    user: part(colon === -1 ? credentials : credentials.slice(0, colon)) ?? parameters.get('user'),
    password: (colon === -1 ? undefined : part(credentials.slice(colon + 1))) ?? parameters.get('password'),
    host: part(host.replace(/^\[|\]$/g, '')) ?? parameters.get('host'),
    port: parsePort(port === undefined || port === '' ? parameters.get('port') : port),
    database: part(database ?? '') ?? parameters.get('dbname'),
    parameters,
  }
}

function parseParameters(query: string): ReadonlyMap<string, string> {
  const pairs = query.split('&').filter((pair) => pair !== '')
  return new Map(pairs.map((pair) => {
    const equals = pair.indexOf('=')
    return equals === -1 ? [decode(pair), ''] : [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))]
  }))
}

function parsePort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) throw invalid('has a port that is not a number from 1 to 65535')
  return port
}

function part(text: string): string | undefined {
  return text === '' ? undefined : decode(text)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalid('has a % that is not followed by two hexadecimal digits')
  }
}

function invalid(fault: string): TidemarkError {
  const remedy = 'Percent-encode special characters in user and password, or give host, user and password apart.'
  return new TidemarkError('CONFIG_INVALID', `The connection string ${fault}.`, { remedy, issues: [{ path: 'url', message: fault }] })
}
