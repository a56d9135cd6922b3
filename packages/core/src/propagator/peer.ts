import type { PeerAnswer, PeerMessage } from '../dialect/propagation-target.ts'

export interface SendOptions {
  /** Fires when the answer has taken too long, or the propagator stops. */
  readonly signal: AbortSignal
}

/** An instance that changes are sent to, by whatever way. Made by `httpPeer`, `sqlPeer` or `starbasePeer`; opens nothing by itself. */
export interface Peer {
  /** In events and status, and what the log keeps its place by. Unique in one propagator. */
  readonly name: string
  /** Without credentials. */
  readonly address: string
  /** Greatest message that it takes, in bytes. */
  readonly maxMessageBytes: number
  /** Errors: `PEER_*`, `ORIGIN_TAKEN`, `TARGET_*`, `ABORTED`. The peer may have done what it was told although no answer came. */
  send(message: PeerMessage, options: SendOptions): Promise<PeerAnswer>
  close(): Promise<void>
}
