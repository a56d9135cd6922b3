import { lookup as resolve, type LookupAllOptions } from 'node:dns'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import type { CallbackFetch, CallbackInit, CallbackResponse } from '@tidemark/core'
import { TidemarkError } from '@tidemark/core/adapter'
import { isPublicAddress } from './is-public-address.ts'

export interface GuardedFetchOptions {
  /** Origins that may lead inside the network, such as `http://localhost:8080`. None by default. */
  readonly insideOrigins?: readonly string[] | undefined
}

/**
 * A `fetch` for callbacks that looks at the address it connects to, after the name is resolved and before a byte is sent. A check of the name alone
 * is no guard: its owner can have it resolve to an address inside your network a moment later (DNS rebinding).
 *
 * Errors: `CALLBACK_REFUSED` for an address that is not a public one.
 */
export function guardedFetch({ insideOrigins = [] }: GuardedFetchOptions = {}): CallbackFetch {
  return async (url, init) => {
    const { origin, protocol, hostname } = new URL(url)
    const isInside = insideOrigins.includes(origin)
    // An address needs no look-up, so that the look-up can't guard it.
    const literal = hostname.replace(/^\[(.*)\]$/, '$1')
    if (!isInside && isIP(literal) !== 0 && !isPublicAddress(literal)) throw refused()
    return send(url, init, { request: protocol === 'https:' ? requestHttps : requestHttp, lookup: isInside ? undefined : guardedLookup })
  }
}

interface Connecting {
  readonly request: typeof requestHttp
  readonly lookup: LookupFunction | undefined
}

/** Redirects are not followed: Node's client never does. */
function send(url: string, { method, headers, body, signal }: CallbackInit, { request, lookup }: Connecting): Promise<CallbackResponse> {
  return new Promise((settle, fail) => {
    const outgoing = request(url, { method, headers: { ...headers, 'content-length': Buffer.byteLength(body) }, signal, agent: false, ...(lookup === undefined ? {} : { lookup }) })
    outgoing.on('error', fail)
    outgoing.on('response', (answer) => {
      const { statusCode = 0, headers: fields } = answer
      // What it says is not read: it may be without end.
      answer.on('error', () => undefined)
      answer.destroy()
      settle({ status: statusCode, headers: { get: (name) => fields[name.toLowerCase()]?.toString() ?? null }, body: null })
    })
    outgoing.end(body)
  })
}

/** All addresses of the name must be public: which of them is connected to is not ours to say. */
const guardedLookup: LookupFunction = (hostname, options, callback) => {
  const all: LookupAllOptions = { ...options, all: true }
  resolve(hostname, all, (error, addresses) => {
    const [first] = addresses ?? []
    if (error !== null || first === undefined) return callback(error ?? refused(), '')
    if (!addresses.every(({ address }) => isPublicAddress(address))) return callback(refused(), '')
    return options.all === true ? callback(null, addresses) : callback(null, first.address, first.family)
  })
}

function refused(): TidemarkError {
  return new TidemarkError('CALLBACK_REFUSED', 'The callback\'s host has an address inside a network.')
}
