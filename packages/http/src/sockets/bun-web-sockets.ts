import { TidemarkError } from '@tidemark/core'
import type { ChangeSocketListener, SocketUpgrade, UpgradeWebSocket } from './socket-host.ts'

/** What goes with a socket from its request on. */
interface SocketData {
  readonly upgrade: SocketUpgrade
  listener?: ChangeSocketListener
}

/** What is used of `Bun.serve`'s server and of its sockets. */
export interface BunServer {
  upgrade(request: Request, options: { readonly data: unknown; readonly headers?: Readonly<Record<string, string>> }): boolean
}

export interface BunSocket {
  readonly data: unknown
  send(text: string): unknown
  close(code: number, reason: string): void
}

export interface BunWebSockets {
  /** For the handler's `changes.webSockets`. */
  readonly upgrade: UpgradeWebSocket
  /** For `websocket` of `Bun.serve`. */
  readonly websocket: {
    readonly open: (socket: BunSocket) => void
    readonly message: (socket: BunSocket, data: unknown) => void
    readonly close: (socket: BunSocket) => void
    readonly maxPayloadLength: number
    readonly idleTimeout: number
  }
  /** The server that `Bun.serve` has given. */
  attach(server: BunServer): void
}

/** WebSockets of `Bun.serve`, which has one set of listeners for all of them. */
export function bunWebSockets(): BunWebSockets {
  let server: BunServer | undefined
  return {
    attach: (given) => { server = given },
    upgrade: (request, upgrade) => {
      const data: SocketData = { upgrade }
      const headers = upgrade.protocol === undefined ? {} : { 'sec-websocket-protocol': upgrade.protocol }
      if (server?.upgrade(request, { data, headers }) !== true) throw new TidemarkError('REQUEST_INVALID', 'The request can not become a WebSocket.', { detail: 'upgrade', remedy: 'Send a handshake of RFC 6455.' })
      // Not sent: the connection is a WebSocket's by now.
      return new Response(null)
    },
    websocket: {
      open: (socket) => {
        const data = dataOf(socket)
        data.listener = data.upgrade.onOpen({ send: (text) => void socket.send(text), close: (code, reason) => socket.close(code, reason) })
      },
      message: (socket, message) => dataOf(socket).listener?.onMessage(message),
      close: (socket) => dataOf(socket).listener?.onClose(),
      maxPayloadLength: 1_024,
      // Feeds have pings of their own.
      idleTimeout: 0,
    },
  }
}

function dataOf(socket: BunSocket): SocketData {
  return socket.data as SocketData // as `upgrade` has given it
}
