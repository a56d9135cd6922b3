import type { ChangeSocketListener, UpgradeWebSocket } from './socket-host.ts'

/** What is used of a Worker's socket. */
interface WorkerSocket {
  accept(): void
  send(text: string): void
  close(code: number, reason: string): void
  addEventListener(type: 'message' | 'close' | 'error', listener: (event: { readonly data?: unknown }) => void): void
}

interface WorkerGlobals {
  readonly WebSocketPair?: new () => { readonly 0: WorkerSocket; readonly 1: WorkerSocket }
}

/**
 * WebSockets of Workers and Durable Objects. A feed reads a log for its client, so an object that has one does not hibernate; when it is evicted all the same, the
 * client comes back with its last id.
 */
export function webSocketPair(): UpgradeWebSocket {
  return (_request, { protocol, onOpen }) => {
    const { WebSocketPair } = globalThis as WorkerGlobals // a class of that host
    if (WebSocketPair === undefined) throw new TypeError('There is no WebSocketPair on this host.')
    const { 0: client, 1: server } = new WebSocketPair()
    server.accept()
    listen(server, onOpen({ send: (text) => ifOpen(() => server.send(text)), close: (code, reason) => ifOpen(() => server.close(code, reason)) }))
    const headers = protocol === undefined ? {} : { 'sec-websocket-protocol': protocol }
    return new Response(null, { status: 101, headers, webSocket: client } as ResponseInit) // `webSocket` is of that host
  }
}

/** One that the client has closed throws; that it is closed is told of by its event. */
function ifOpen(act: () => void): void {
  try {
    act()
  } catch {
    // As above.
  }
}

function listen(socket: WorkerSocket, listener: ChangeSocketListener): void {
  socket.addEventListener('message', ({ data }) => listener.onMessage(data))
  socket.addEventListener('close', () => listener.onClose())
  socket.addEventListener('error', () => listener.onClose())
}
