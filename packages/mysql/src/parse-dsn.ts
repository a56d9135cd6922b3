import { TidemarkError } from '@tidemark/core/adapter'

/** A connection string in parts, percent-decoded. */
export interface Dsn {
  readonly host: string
  readonly port: number | undefined
  readonly user: string | undefined
  readonly password: string | undefined
  readonly database: string | undefined
  readonly tls: 'verify' | 'disable' | undefined
}

// No part may hold a bare `@`: a password with one would otherwise spill into the host, which is shown.
const SHAPE = /^(?:mysql|mariadb):\/\/(?:([^@/?#]*)@)?(\[[^\]@]+\]|[^:/?#@]+)(?::(\d{1,5}))?(?:\/([^/?#@]*))?(?:\?([^#@]*))?$/u

/** What other tools call it. Modes between the two ends are raised to verification, never lowered. */
const TLS_BY_PARAMETER: Readonly<Record<string, Readonly<Record<string, 'verify' | 'disable'>>>> = {
  'ssl-mode': {
    DISABLED: 'disable', PREFERRED: 'verify', REQUIRED: 'verify', VERIFY_CA: 'verify', VERIFY_IDENTITY: 'verify',
  },
  sslaccept: { strict: 'verify' },
  tls: { verify: 'verify', disable: 'disable' },
}

/**
 * Reads `mysql://user:password@host:port/database?ssl-mode=VERIFY_IDENTITY`. Done by hand because the errors of
 * `new URL()` and of drivers carry the whole string, and with it the password.
 *
 * Errors: `CONFIG_INVALID`, which never quotes the string. A parameter that is not known is refused rather than
 * ignored: it might have asked for more safety than it would get.
 */
export function parseDsn(dsn: string): Dsn {
  const match = SHAPE.exec(dsn)
  if (match === null) throw invalidUrl('It is not of the form mysql://user:password@host:port/database; characters such as @ and / are percent-encoded.')
  const [, credentials = '', host = '', port, database, query] = match
  const colon = credentials.indexOf(':')
  return {
    host: host.replace(/^\[|\]$/gu, ''),
    port: port === undefined ? undefined : parsePort(port),
    user: decodePart(colon === -1 ? credentials : credentials.slice(0, colon)),
    password: colon === -1 ? undefined : decodePart(credentials.slice(colon + 1)),
    database: decodePart(database),
    tls: parseTls(query ?? ''),
  }
}

function parsePort(text: string): number {
  const port = Number(text)
  if (port < 1 || port > 65_535) throw invalidUrl('Its port is not a number from 1 to 65535.')
  return port
}

function decodePart(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalidUrl('It has a % that is not followed by two hexadecimal digits.')
  }
}

function parseTls(query: string): 'verify' | 'disable' | undefined {
  const modes = query.split('&').filter((pair) => pair !== '').map((pair) => {
    const [name = '', value = ''] = pair.split('=')
    const values = Object.hasOwn(TLS_BY_PARAMETER, name) ? TLS_BY_PARAMETER[name] : undefined
    const mode = values !== undefined && Object.hasOwn(values, value) ? values[value] : undefined
    if (mode === undefined) throw invalidUrl('It has a parameter that is not known here; ssl-mode, sslaccept=strict and tls are.')
    return mode
  })
  // Where two disagree the safer wins.
  return modes.includes('verify') ? 'verify' : modes[0]
}

function invalidUrl(message: string): TidemarkError {
  return new TidemarkError('CONFIG_INVALID', 'The MySQL connection string is not valid.', { issues: [{ path: 'url', message }] })
}
