import { TidemarkError } from '@tidemark/core'
import { fromBase64Url } from '@tidemark/core/adapter'

/** What the messages of a feed look like. Another form gets another name. */
export const FEED_PROTOCOL = 'tidemark.v1'

/** A token in base64url stands behind it: pages can set no header of a WebSocket but this one, and a URL ends up in logs. */
const TOKEN_PREFIX = 'tidemark.token.'

/** The subprotocol to answer with, which is never the one with the token. Errors: `REQUEST_INVALID` when the client offers others only. */
export function chosenProtocol(request: Request): string | undefined {
  const offered = protocolsOf(request)
  if (offered.length === 0) return undefined
  if (offered.includes(FEED_PROTOCOL)) return FEED_PROTOCOL
  throw new TidemarkError('REQUEST_INVALID', 'The client does not offer the subprotocol of this feed.', { detail: 'subprotocol', remedy: `Offer ${FEED_PROTOCOL}.` })
}

/** The request with the token where `authorize` looks for it. A header that is there already counts. */
export function withToken(request: Request): Request {
  const token = protocolsOf(request).find((one) => one.startsWith(TOKEN_PREFIX))?.slice(TOKEN_PREFIX.length)
  const bytes = token === undefined ? undefined : fromBase64Url(token)
  if (bytes === undefined || request.headers.has('authorization')) return request
  const text = new TextDecoder().decode(bytes)
  // Anything else is no token, and no host takes it in a header.
  if (!/^[\x21-\x7e]+$/.test(text)) return request
  const headers = new Headers(request.headers)
  headers.set('authorization', `Bearer ${text}`)
  return new Request(request.url, { headers, signal: request.signal })
}

function protocolsOf(request: Request): readonly string[] {
  return (request.headers.get('sec-websocket-protocol') ?? '').split(',').map((one) => one.trim()).filter((one) => one !== '')
}
