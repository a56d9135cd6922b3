/** What a feed uses of a WebSocket that is open. */
export interface ChangeSocket {
  /** Must not throw for one that is closing. */
  send(text: string): void
  close(code: number, reason: string): void
}

export interface ChangeSocketListener {
  /** A text, or whatever else the client has sent. */
  onMessage(data: unknown): void
  /** However it ended. */
  onClose(): void
}

export interface SocketUpgrade {
  /** The subprotocol to name to the client; `undefined` when it offered none. */
  readonly protocol: string | undefined
  /** To be called once the socket is open, and not if it never is. */
  readonly onOpen: (socket: ChangeSocket) => ChangeSocketListener
}

/**
 * All that differs between hosts: makes a WebSocket of a request that asks for one. The answer is what the host expects then; where it expects none, anything.
 * The request is the very object that the handler was given.
 */
export type UpgradeWebSocket = (request: Request, upgrade: SocketUpgrade) => Response | Promise<Response>
