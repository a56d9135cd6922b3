import { fileURLToPath } from 'node:url'
import type { SecretInput } from '@tidemark/core'

/** Where to read from. The URL may hold a password, so it is only ever handed to an adapter. */
export type SourceLocation =
  | { readonly kind: 'postgres'; readonly url: SecretInput }
  | { readonly kind: 'mysql'; readonly url: SecretInput }

/** Where to write to. A remote URL holds no credential: that is a fault. */
export type TargetLocation =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'libsql'; readonly url: string }

/** A location, or a sentence that says what is wrong with it without quoting it. */
export type Located<T> = { readonly location: T } | { readonly fault: string }

export type Environment = Readonly<Record<string, string | undefined>>

const ENV_REFERENCE = /^env:([A-Za-z_][A-Za-z0-9_]*)$/
const SOURCE_KINDS: Readonly<Record<string, SourceLocation['kind'] | 'sqlite'>> = {
  postgres: 'postgres', postgresql: 'postgres', mysql: 'mysql', mariadb: 'mysql', sqlite: 'sqlite', file: 'sqlite',
}

/** `NAME` of `env:NAME`. */
export function environmentName(text: string): string | undefined {
  return ENV_REFERENCE.exec(text)?.[1]
}

/** A URL, or `env:NAME` for one that stands in the environment. */
export function locateSource(text: string, environment: Environment): Located<SourceLocation> {
  const name = environmentName(text)
  const url = name === undefined ? text : environment[name]
  if (url === undefined || url === '') return { fault: `The environment variable ${name ?? ''} is not set.` }
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(url)?.[1]?.toLowerCase() ?? ''
  const kind = Object.hasOwn(SOURCE_KINDS, scheme) ? SOURCE_KINDS[scheme] : undefined
  if (kind === 'sqlite') return { fault: 'SQLite can not be a source yet.' }
  if (kind === undefined) return { fault: 'Must begin with postgres:, postgresql:, mysql: or mariadb:, or be env:NAME.' }
  // By reference where it was given by reference: it is then read anew for every connection.
  return { location: { kind, url: name === undefined ? url : { env: name } } }
}

/** A path, `sqlite:path`, `file:path`, or the URL of a libSQL server. `tokenOption` takes what the URL must not hold. */
export function locateTarget(text: string, tokenOption = '--to-token'): Located<TargetLocation> {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1]?.toLowerCase()
  switch (scheme) {
    case 'sqlite':
    case 'file':
      return locateFile(text)
    case 'libsql':
    case 'http':
    case 'https':
    case 'ws':
    case 'wss':
      return locateServer(text, tokenOption)
    default:
      // A path may hold a colon, but what has `//` after it was meant as a URL.
      if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(text)) return { fault: 'Must be a path, sqlite:, file:, libsql:, http: or https:.' }
      return { location: { kind: 'file', path: text } }
  }
}

function locateFile(text: string): Located<TargetLocation> {
  try {
    const path = text.startsWith('file://') ? fileURLToPath(text) : text.slice(text.indexOf(':') + 1)
    return path === '' ? { fault: 'Names no file.' } : { location: { kind: 'file', path } }
  } catch {
    return { fault: 'Is not the URL of a file on this machine.' }
  }
}

function locateServer(text: string, tokenOption: string): Located<TargetLocation> {
  if (!URL.canParse(text)) return { fault: 'Is not a URL.' }
  const url = new URL(text)
  const hasCredential = url.username !== '' || url.password !== '' || [...url.searchParams.keys()].some((key) => /token|auth/i.test(key))
  if (hasCredential) return { fault: `Must not hold a credential: give the token with ${tokenOption} env:NAME.` }
  return { location: { kind: 'libsql', url: text } }
}
