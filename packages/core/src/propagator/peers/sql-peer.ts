import type { PropagationTarget } from '../../dialect/propagation-target.ts'
import type { Peer } from '../peer.ts'
import { receiverSettings, type ReceiverRules } from '../receive/receiver-options.ts'

export interface SqlPeerOptions extends ReceiverRules {
  /** In events and status, and what the log keeps its place by. Default: the target's address. */
  readonly name?: string | undefined
}

/** A peer whose database this process can open itself: no receiver, no network. Errors of sending: those of the target. */
export function sqlPeer(target: PropagationTarget, options: SqlPeerOptions = {}): Peer {
  const connection = target.connect(receiverSettings(options))
  return {
    name: options.name ?? target.address,
    address: target.address,
    maxMessageBytes: Number.POSITIVE_INFINITY,
    send: (message, { signal }) => connection.take(message, { signal }),
    close: async () => connection[Symbol.asyncDispose](),
  }
}
