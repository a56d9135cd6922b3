import type { PeerAnswer, PeerMessage } from '../dialect/propagation-target.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import type { Peer } from './peer.ts'
import type { PropagatorContext } from './propagator-context.ts'

/** Sends a message and waits for the answer, no longer than `timeoutMs`. Errors: `PEER_UNREACHABLE` with the detail `timeout`, those of the peer. */
export async function askPeer({ peer, context: { settings, runtime } }: { readonly peer: Peer; readonly context: PropagatorContext }, message: PeerMessage, signal: AbortSignal): Promise<PeerAnswer> {
  const end = new AbortController()
  const late = runtime.sleep(settings.timeoutMs, end.signal).then(() => {
    throw new TidemarkError('PEER_UNREACHABLE', 'The peer did not answer in time.', { detail: 'timeout' })
  })
  try {
    return await Promise.race([peer.send(message, { signal: AbortSignal.any([signal, end.signal]) }), late])
  } finally {
    late.catch(() => undefined)
    end.abort()
  }
}
