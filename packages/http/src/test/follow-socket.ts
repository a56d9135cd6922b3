import { once } from 'node:events'
import { WebSocket } from 'ws'

export interface SocketMessage {
  readonly event: string
  readonly id?: string
  readonly data: unknown
}

export interface FollowedSocket {
  readonly socket: WebSocket
  /** Everything that has come and was not taken; bytes of all that came. */
  readonly messages: readonly SocketMessage[]
  readonly receivedBytes: () => number
  /** The next so many of one kind; what comes between is left out. */
  readonly take: (event: string, count: number) => Promise<readonly SocketMessage[]>
  /** Code and reason. */
  readonly closed: Promise<readonly [code: number, reason: string]>
}

export interface FollowOptions {
  readonly token?: string | undefined
  readonly protocols?: readonly string[] | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Whether pings are answered. Default true. */
  readonly answers?: boolean | undefined
}

/** Opens a feed. Rejects with the status where the handshake is refused. */
export async function followSocket(url: string, { token, protocols = ['tidemark.v1'], headers = {}, answers = true }: FollowOptions = {}): Promise<FollowedSocket> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), [...protocols], { headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) } })
  const messages: SocketMessage[] = []
  let bytes = 0
  let wake = (): void => undefined
  socket.on('message', (data) => {
    const text = (data as Buffer).toString() // the type of Node's own binary messages
    bytes += Buffer.byteLength(text)
    const message = JSON.parse(text) as SocketMessage
    if (message.event === 'ping' && answers) socket.send(`{"pong":${(message.data as { readonly bytes: number }).bytes}}`)
    messages.push(message)
    wake()
  })
  const closed = new Promise<readonly [number, string]>((resolve) => { socket.once('close', (code, reason) => { resolve([code, reason.toString()]); wake() }) })
  await opened(socket)
  const take = async (event: string, count: number): Promise<readonly SocketMessage[]> => {
    const taken: SocketMessage[] = []
    while (taken.length < count) {
      const next = messages.shift()
      if (next?.event === event) taken.push(next)
      if (next !== undefined) continue
      if (socket.readyState >= WebSocket.CLOSING) throw new Error(`The feed ended after ${taken.length} of ${count} messages.`)
      await new Promise<void>((resolve) => { wake = resolve })
    }
    return taken
  }
  return { socket, messages, closed, take, receivedBytes: () => bytes }
}

async function opened(socket: WebSocket): Promise<void> {
  const refused = new Promise<never>((_resolve, reject) => {
    socket.once('unexpected-response', (_request, answer) => { reject(new Error(String(answer.statusCode))); socket.terminate() })
    socket.on('error', reject)
  })
  await Promise.race([once(socket, 'open'), refused])
}
