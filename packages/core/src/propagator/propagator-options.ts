import type { ChangeSource } from '../dialect/change-source.ts'
import type { PeerMessage, PropagationTarget } from '../dialect/propagation-target.ts'
import type { TidemarkError } from '../errors/tidemark-error.ts'
import type { Logger } from '../log/logger.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { BackoffOptions } from '../util/backoff.ts'
import type { ConflictRules } from './conflict-rules.ts'
import type { Peer } from './peer.ts'

/** A message that a peer refuses for good. */
export interface DeadLetter {
  readonly peer: string
  readonly error: TidemarkError
  readonly message: PeerMessage
}

export interface PropagatorOptions extends ConflictRules {
  /** The log that changes are taken from. It must outlive the process: `sqliteChanges`. */
  readonly source: ChangeSource
  /** Name of this instance: 1 to 63 letters, digits, dots, dashes or underscores. No two instances that are connected, also by others, may have the same. */
  readonly origin: string
  readonly peers: readonly Peer[]
  /** Only these; default: all that the source captures. */
  readonly tables?: readonly string[] | undefined
  /**
   * Whether a peer gets the rows that are there: at the first contact, when a table has been mended, and when it is further behind than the
   * log keeps. Rows of the peer's that are not here are deleted then. Default true.
   */
  readonly snapshot?: boolean | undefined
  /** Whether changes that other peers sent here are sent on. Default true. */
  readonly relay?: boolean | undefined
  /** Whether this instance takes the place of another, or of a log that was made anew, under the same name. Default false. */
  readonly takesOver?: boolean | undefined
  /** The source's database, where several instances write it: it keeps a version of each row. Needed with `conflicts`. */
  readonly target?: PropagationTarget | undefined
  /** Longest wait for a peer's answer, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number | undefined
  /** Delay before a failed message is sent again. Default: from 100 ms to 30 s, full jitter. */
  readonly retry?: Partial<BackoffOptions> | undefined
  /** When a peer is left alone: after so many failures in a row, for so long, in milliseconds. Default 5 and 30,000. */
  readonly breaker?: { readonly failures?: number | undefined; readonly cooldownMs?: number | undefined } | undefined
  /** How often a peer that has refused a table is asked whether the reason is gone, in milliseconds; each costs it a look at all tables. Default 30,000. */
  readonly askAgainMs?: number | undefined
  /** Takes a message that a peer refuses for good; the peer then goes on behind it. Default: the peer waits before it. */
  readonly deadLetter?: ((letter: DeadLetter) => unknown) | undefined
  /** Greatest batch, whichever is reached first. Default 2,048 rows, 512 KiB. */
  readonly batch?: { readonly rows?: number | undefined; readonly bytes?: number | undefined } | undefined
  /** Longest wait of `stop()` for what is under way, in milliseconds. Default 5,000. */
  readonly stopGraceMs?: number | undefined
  /** How long a crashed process keeps others from noting their place in the log, in milliseconds. Default 10,000. */
  readonly leaseTtlMs?: number | undefined
  /** Default: the host's clock and timers. */
  readonly runtime?: Runtime | undefined
  /** Default: silent. */
  readonly logger?: Logger | undefined
}
