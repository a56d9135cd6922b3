import { encodeMessage, hostFetch, peerAddress, peerName, peerUrl, sqlPeer, TidemarkError, type Peer, type PeerFetch, type PeerMessage, type ReceiverRules, type SecretInput } from '@tidemark/core/adapter'
import { peerNames } from '../propagate/peer-names.ts'
import { sqlitePropagationTarget } from '../propagate/sqlite-propagation-target.ts'
import { StarbaseClient } from './starbase-client.ts'
import { StarbaseDriver } from './starbase-driver.ts'

export interface StarbasePeerOptions extends Pick<ReceiverRules, 'replacesRows' | 'followsSchema' | 'refusesLocalWrites'> {
  /** Of the instance, without `/query`. `https`, or `http` on the same machine. */
  readonly url: string
  /** Its `ADMIN_AUTHORIZATION_TOKEN`. */
  readonly token: SecretInput
  /** Default: the host of the URL, with its port where it is not the usual one. */
  readonly name?: string | undefined
  /** Allows `http` to another machine, such as inside a private network. Default false. */
  readonly allowPlaintext?: boolean | undefined
  /** Default: the host's `fetch`. */
  readonly fetch?: PeerFetch | undefined
}

/** What the instance keeps besides the application's tables. Its own tables, and those that its dumps leave out, begin with `tmp_`. */
const PREFIX = 'tmp_tidemark_'
/** A part of a transaction is kept as one value. */
const MAX_PART_CHARACTERS = 600_000

/**
 * A stock StarbaseDB instance, which needs nothing of ours: transactions are applied on its own SQLite through `/query`, each whole and once. Tables that
 * have triggers on the instance are refused.
 *
 * Errors: `CONFIG_INVALID`; sending: `PEER_*`, `SECRET_MISSING`, `ORIGIN_TAKEN`, `VALUE_UNREPRESENTABLE` and `TARGET_*`.
 */
export function starbasePeer(options: StarbasePeerOptions): Peer {
  const { token, name, replacesRows, followsSchema, refusesLocalWrites } = options
  const url = peerUrl(options)
  const current = { signal: new AbortController().signal }
  const client = new StarbaseClient({ url, token, fetch: options.fetch ?? hostFetch(), signal: () => current.signal })
  const { senders, tables, relayed } = peerNames(PREFIX)
  const isGuarded = (sql: string): boolean => [senders, tables, relayed].some((kept) => sql.includes(kept))
  const open = (): Promise<StarbaseDriver> => new StarbaseDriver({ client, prefix: PREFIX, isGuarded }).open()
  const target = sqlitePropagationTarget({ address: peerAddress(url), maxParameters: 1, keepsForeignKeys: true, keepsTriggers: true, open }, { tablePrefix: PREFIX })
  const peer = sqlPeer(target, { name: name ?? peerName(url), replacesRows, followsSchema, refusesLocalWrites })
  return {
    ...peer,
    send: (message, sendOptions) => {
      if (isLongPart(message)) return Promise.reject(new TidemarkError('PEER_TOO_LARGE', 'A part of a transaction is longer than the instance keeps.'))
      current.signal = sendOptions.signal
      return peer.send(message, sendOptions)
    },
  }
}

function isLongPart(message: PeerMessage): boolean {
  return message.type === 'unit' && !message.isCommit && encodeMessage(message).length > MAX_PART_CHARACTERS
}
