import { TidemarkError } from '../../errors/tidemark-error.ts'

/** Errors: `CONFIG_INVALID` for what is no address, has credentials in it, or would send them in the clear to another machine. */
export function peerUrl({ url, allowPlaintext = false }: { readonly url: string; readonly allowPlaintext?: boolean | undefined }): URL {
  const parsed = parse(url)
  if (parsed === undefined || (parsed.protocol !== 'https:' && parsed.protocol !== 'http:')) throw invalid('Must be an https address.')
  if (parsed.username !== '' || parsed.password !== '') throw invalid('Must have no user and no password in it: give a `token`.')
  if (parsed.protocol === 'http:' && !allowPlaintext && !isLoopback(parsed.hostname)) throw invalid('Must be https, unless it is on this machine or `allowPlaintext` is set.')
  return parsed
}

/** Where a peer is, for people: without what may be a credential. */
export function peerAddress({ origin, pathname }: URL): string {
  return `${origin}${pathname}`
}

/** By which a peer is called that was given no name. */
export function peerName({ hostname, port }: URL): string {
  return `${hostname}${port === '' ? '' : `:${port}`}`
}

function parse(url: string): URL | undefined {
  try {
    return new URL(url)
  } catch {
    return undefined
  }
}

/** `URL` writes every form of an address in one way (url.spec.whatwg.org, "host parsing"). */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}

function invalid(message: string): TidemarkError {
  return new TidemarkError('CONFIG_INVALID', `The address of a peer is wrong. ${message}`, { issues: [{ path: 'url', message }] })
}
