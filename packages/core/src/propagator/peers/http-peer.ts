import type { PeerAnswer, PeerMessage, PeerTableState } from '../../dialect/propagation-target.ts'
import { TidemarkError, type ErrorReport } from '../../errors/tidemark-error.ts'
import { makeSecret, type Secret, type SecretInput } from '../../util/secret.ts'
import type { Peer, SendOptions } from '../peer.ts'
import { decodeAnswer, decodeFailure } from '../wire/answer.ts'
import { encodeMessage } from '../wire/encode-message.ts'
import { HEADERS, signMessage } from '../wire/sign-message.ts'
import { peerAddress, peerName, peerUrl } from './peer-url.ts'
import { statusError } from './status-error.ts'

/** A subset of `fetch`, for hosts with one of their own: a service binding of a Worker, an agent with a private authority. */
export type PeerFetch = (url: string, init: PeerFetchInit) => Promise<PeerResponse>

export interface PeerFetchInit {
  readonly method: 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** A redirect would carry the token elsewhere. */
  readonly redirect: 'manual'
  readonly signal: AbortSignal
}

export interface PeerResponse {
  readonly status: number
  text(): Promise<string>
}

export interface HttpPeerOptions {
  /** Where the receiver is mounted. `https`, or `http` on the same machine. */
  readonly url: string
  /** Sent as a bearer token. Give this or `secret`. */
  readonly token?: SecretInput | undefined
  /** Signs every message, so that no token travels. */
  readonly secret?: SecretInput | undefined
  /** Default: the host of the URL, with its port where it is not the usual one. */
  readonly name?: string | undefined
  /** Allows `http` to another machine, such as inside a private network. Default false. */
  readonly allowPlaintext?: boolean | undefined
  /** Greatest message that the receiver takes. Default 8 MiB, as a receiver has it. */
  readonly maxMessageBytes?: number | undefined
  /** Default: the host's `fetch`. */
  readonly fetch?: PeerFetch | undefined
}

const MAX_MESSAGE_BYTES = 8_388_608

/**
 * A peer behind a receiver's fetch handler. Errors: `CONFIG_INVALID`; sending: `PEER_UNREACHABLE`, `PEER_BUSY`, `PEER_AUTH_FAILED`,
 * `PEER_TOO_LARGE`, `PEER_ANSWER_INVALID`, `SECRET_MISSING` and what the receiver itself reports.
 */
export function httpPeer(options: HttpPeerOptions): Peer {
  const url = peerUrl(options)
  const { token, secret, maxMessageBytes = MAX_MESSAGE_BYTES } = options
  if ((token === undefined) === (secret === undefined)) {
    throw new TidemarkError('CONFIG_INVALID', 'A peer needs a token or a secret, and not both.', { issues: [{ path: 'token', message: 'Must be given, or `secret`.' }] })
  }
  const proof: Proof = token === undefined ? { kind: 'secret', secret: makeSecret(secret ?? '', 'secret') } : { kind: 'token', secret: makeSecret(token, 'token') }
  const fetch = options.fetch ?? hostFetch()
  return {
    name: options.name ?? peerName(url),
    address: peerAddress(url),
    maxMessageBytes,
    send: (message, { signal }) => post(message, { url: url.href, proof, fetch, maxMessageBytes, signal }),
    close: () => Promise.resolve(),
  }
}

interface Proof {
  readonly kind: 'token' | 'secret'
  readonly secret: Secret
}

interface PostOptions extends SendOptions {
  readonly url: string
  readonly proof: Proof
  readonly fetch: PeerFetch
  readonly maxMessageBytes: number
}

/** Peers that stand at the same place get the very same message: it is encoded once. */
const ENCODED = new WeakMap<PeerMessage, string>()

async function post(message: PeerMessage, { url, proof, fetch, maxMessageBytes, signal }: PostOptions): Promise<PeerAnswer> {
  const body = ENCODED.get(message) ?? encodeMessage(message)
  ENCODED.set(message, body)
  // A character is at least one byte; the receiver counts them exactly.
  if (body.length > maxMessageBytes) throw new TidemarkError('PEER_TOO_LARGE', `A message has more than ${maxMessageBytes} bytes.`)
  const headers = { 'content-type': 'application/json', [HEADERS.origin]: message.origin, ...await proofHeaders(proof, message.origin, body) }
  const { status, text: given } = await request(() => fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal }))
  const answer = status === 200 ? decodeAnswer(given) : undefined
  if (answer !== undefined) return withoutSecret(answer, await proof.secret.reveal())
  const failure = decodeFailure(given)
  if (failure === undefined) throw asPeerError(statusError(status))
  const { code, message: text, remedy, detail } = scrubbed(failure.toJSON(), await proof.secret.reveal())
  throw asPeerError(new TidemarkError(code, text, { remedy, detail }))
}

/** What a peer says of a refused table is shown to users, and it may say again what it was sent. */
function withoutSecret(answer: PeerAnswer, secret: string): PeerAnswer {
  const tables = Object.entries(answer.tables).map(([name, state]): [string, PeerTableState] => [name, state.state === 'refused' ? { state: 'refused', error: scrubbed(state.error, secret) } : state])
  return { ...answer, tables: Object.fromEntries(tables) }
}

function scrubbed(report: ErrorReport, secret: string): ErrorReport {
  const scrub = (text: string): string => text.replaceAll(secret, '***')
  return { ...report, message: scrub(report.message), remedy: scrub(report.remedy), detail: report.detail === undefined ? undefined : scrub(report.detail) }
}

/** What the receiver calls a request is the peer's to the sender. */
function asPeerError(error: TidemarkError): TidemarkError {
  if (error.code === 'REQUEST_UNAUTHORIZED') return new TidemarkError('PEER_AUTH_FAILED', error.message)
  return error.code === 'REQUEST_TOO_LARGE' ? new TidemarkError('PEER_TOO_LARGE', error.message) : error
}

async function proofHeaders({ kind, secret }: Proof, origin: string, body: string): Promise<Readonly<Record<string, string>>> {
  const value = await secret.reveal()
  if (kind === 'token') return { authorization: `Bearer ${value}` }
  return { [HEADERS.signature]: await signMessage(value, { origin, body, atSeconds: Math.floor(Date.now() / 1_000) }) }
}

async function request(work: () => Promise<PeerResponse>): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const response = await work()
    return { status: response.status, text: await response.text() }
  } catch {
    // What fetch throws may quote the address with what is in it.
    throw new TidemarkError('PEER_UNREACHABLE', 'The peer could not be reached.')
  }
}

export function hostFetch(): PeerFetch {
  // Every host has it; core's list of web globals leaves it out, because the hosts' types differ.
  const host = globalThis as unknown as { readonly fetch: PeerFetch }
  return (url, init) => host.fetch(url, init)
}
