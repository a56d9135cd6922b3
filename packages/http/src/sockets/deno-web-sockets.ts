import type { ChangeSocketListener, UpgradeWebSocket } from './socket-host.ts'

/** What is used of a socket of the web platform. */
interface PlatformSocket {
  readonly readyState: number
  send(text: string): void
  close(code: number, reason: string): void
  addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: { readonly data?: unknown }) => void): void
}

interface DenoGlobals {
  readonly Deno?: { upgradeWebSocket(request: Request, options: { readonly protocol?: string; readonly idleTimeout: number }): { readonly socket: PlatformSocket; readonly response: Response } }
}

const OPEN = 1

/** WebSockets of `Deno.serve`. */
export function denoWebSockets(): UpgradeWebSocket {
  return (request, { protocol, onOpen }) => {
    const { Deno } = globalThis as DenoGlobals // a global of that host
    if (Deno === undefined) throw new TypeError('This is not Deno.')
    // Feeds have pings of their own.
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0, ...(protocol === undefined ? {} : { protocol }) })
    let listener: ChangeSocketListener | undefined
    socket.addEventListener('open', () => {
      listener = onOpen({ send: (text) => { if (socket.readyState === OPEN) socket.send(text) }, close: (code, reason) => socket.close(code, reason) })
    })
    socket.addEventListener('message', ({ data }) => listener?.onMessage(data))
    socket.addEventListener('close', () => listener?.onClose())
    socket.addEventListener('error', () => listener?.onClose())
    return response
  }
}
