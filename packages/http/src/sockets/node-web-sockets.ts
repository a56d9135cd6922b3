import { TidemarkError } from '@tidemark/core'
import { WebSocketServer, type WebSocket } from 'ws'
import { problemAnswer } from '../answers/problem.ts'
import { FEED_PROTOCOL } from './subprotocol.ts'
import type { ChangeSocketListener, SocketUpgrade, UpgradeWebSocket } from './socket-host.ts'

/** What is used of an `IncomingMessage` of `node:http`. */
export interface NodeRequest {
  readonly url?: string | undefined
  readonly rawHeaders: readonly string[]
}

/** What is used of the connection that comes with it. */
export interface NodeSocket {
  on(event: 'error', listener: () => void): unknown
  end(text: string): unknown
  destroy(): unknown
}

export interface NodeWebSockets {
  /** For the handler's `changes.webSockets`. */
  readonly upgrade: UpgradeWebSocket
  /** For the event `upgrade` of an `http.Server` or `https.Server`. It answers every request that comes to it. */
  listener(handler: (request: Request) => Promise<Response>): (request: NodeRequest, socket: NodeSocket, head: Uint8Array) => void
}

interface Waiting {
  readonly request: NodeRequest
  readonly socket: NodeSocket
  readonly head: Uint8Array
  isUpgraded: boolean
}

type HandleUpgrade = Parameters<WebSocketServer['handleUpgrade']>

/** WebSockets of Node's HTTP server. */
export function nodeWebSockets(): NodeWebSockets {
  const waiting = new WeakMap<Request, Waiting>()
  const server = new WebSocketServer({
    noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload: 1_024,
    handleProtocols: (offered) => (offered.has(FEED_PROTOCOL) ? FEED_PROTOCOL : false),
  })
  return {
    upgrade: (request, upgrade) => {
      const one = waiting.get(request)
      if (one === undefined) throw new TidemarkError('NOT_SUPPORTED', 'This server does not open WebSockets.', { remedy: 'Give `listener(handler)` to the event `upgrade` of the server.' })
      one.isUpgraded = true
      server.handleUpgrade(one.request as HandleUpgrade[0], one.socket as HandleUpgrade[1], one.head as HandleUpgrade[2], (socket) => attach(socket, upgrade)) // what `ws` is made for, of which less is asked for here
      // Not sent: the connection is a WebSocket's by now.
      return new Response(null)
    },
    listener: (handler) => (request, socket, head) => {
      socket.on('error', () => socket.destroy())
      const webRequest = toRequest(request)
      if (webRequest === undefined) return void socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
      const one: Waiting = { request, socket, head, isUpgraded: false }
      waiting.set(webRequest, one)
      handler(webRequest).then((answer) => (one.isUpgraded ? undefined : refuse(socket, answer))).catch(() => socket.destroy())
    },
  }
}

function attach(socket: WebSocket, { onOpen }: SocketUpgrade): void {
  const listener: ChangeSocketListener = onOpen({ send: (text) => socket.send(text, () => undefined), close: (code, reason) => socket.close(code, reason) })
  socket.on('message', (data, isBinary) => listener.onMessage(isBinary || Array.isArray(data) ? undefined : textOf(data)))
  socket.on('close', () => listener.onClose())
  // What is wrong closes it, and that is told of.
  socket.on('error', () => undefined)
}

function textOf(data: ArrayBuffer | Uint8Array): string {
  return new TextDecoder().decode(data)
}

/** `undefined` for an address that is none. */
function toRequest({ url = '/', rawHeaders }: NodeRequest): Request | undefined {
  try {
    const headers = new Headers()
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) headers.append(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '')
    return new Request(new URL(url, `http://${headers.get('host') ?? 'localhost'}`), { headers })
  } catch {
    return undefined
  }
}

/** Another route than that of a feed; its answer may have no end. */
async function noSocketHere(answer: Response): Promise<Response> {
  await answer.body?.cancel()
  return problemAnswer(new TidemarkError('REQUEST_INVALID', 'This route opens no WebSocket.', { detail: 'upgrade-elsewhere', remedy: 'Open /changes/socket.' }))
}

/** Written by hand: there is no `ServerResponse` for a request that asks for another protocol. */
async function refuse(socket: NodeSocket, given: Response): Promise<void> {
  const answer = given.status < 300 ? await noSocketHere(given) : given
  const body = await answer.text()
  const headers = [...answer.headers, ['connection', 'close'], ['content-length', String(new TextEncoder().encode(body).length)]]
  socket.end(`HTTP/1.1 ${answer.status} ${answer.statusText || 'Refused'}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`)
}
