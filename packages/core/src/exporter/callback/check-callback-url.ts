import { TidemarkError } from '../../errors/tidemark-error.ts'

/** Names that stay inside a host or a network (RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`), and those of cloud metadata. */
const INSIDE = /(^|\.)(localhost|local|internal|intranet|private|corp|home|lan|home\.arpa|localdomain|test|example|invalid|onion)$/

/**
 * Refuses what must not be called: anything whose origin is not allowed, and, where a pattern allows it, everything that could lead inside.
 *
 * An entry of `allowedOrigins` is an origin, which is then allowed whatever it is, or has `*.` before the host: any name below it, by https on port 443.
 * Errors: `CALLBACK_REFUSED`.
 */
export function checkCallbackUrl(text: string, allowedOrigins: readonly string[]): void {
  const url = parse(text)
  if (url === undefined) throw refused('It is no URL.')
  if (url.username !== '' || url.password !== '') throw refused('It holds a user or a password.')
  if (allowedOrigins.includes(url.origin) && (url.protocol === 'https:' || url.protocol === 'http:')) return
  if (url.protocol !== 'https:' || url.port !== '') throw refused('Only https on its own port is called.')
  const name = url.hostname.replace(/\.$/, '')
  // A WHATWG URL writes every spelling of an IPv4 address as four numbers, and IPv6 in brackets.
  if (/^[\d.]+$/.test(name) || name.startsWith('[') || !name.includes('.') || INSIDE.test(name)) throw refused('Its host is an address, or a name inside a network.')
  if (!allowedOrigins.some((pattern) => matches(pattern, name))) throw refused('Its origin is not allowed.')
}

function matches(pattern: string, name: string): boolean {
  const suffix = /^https:\/\/\*(\.[^/:]+)$/.exec(pattern)?.[1]?.toLowerCase()
  return suffix !== undefined && name.endsWith(suffix) && name.length > suffix.length
}

function parse(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}

/** The URL may hold a token in its path, so it is not repeated. */
function refused(reason: string): TidemarkError {
  return new TidemarkError('CALLBACK_REFUSED', `The callback's address is refused. ${reason}`)
}
