import { request as connect, type IncomingMessage } from 'node:http'

/** A request that may be sent again. */
export interface KeptRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export interface ForwardedAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | string
}

/** Of one hop; the next has its own. */
const HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'host', 'expect'])

/** `undefined` when nobody answers. A connection for each, so that what happens to one happens to no other. */
export function forwardRequest(target: string, { method, path, headers, body }: KeptRequest): Promise<ForwardedAnswer | undefined> {
  return new Promise((resolve) => {
    const outgoing = connect(new URL(path, target), { method, agent: false, headers: { ...endToEnd(headers), 'content-length': body.length } })
    outgoing.once('error', () => resolve(undefined))
    outgoing.once('response', (incoming) => void read(incoming).then(resolve, () => resolve(undefined)))
    outgoing.end(body)
  })
}

async function read(incoming: IncomingMessage): Promise<ForwardedAnswer> {
  const pieces: Buffer[] = []
  for await (const piece of incoming) pieces.push(piece as Buffer) // no encoding was set
  const headers = Object.entries(incoming.headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return { status: incoming.statusCode ?? 502, headers: endToEnd(Object.fromEntries(headers)), body: Buffer.concat(pieces) }
}

function endToEnd(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP.has(name)))
}
