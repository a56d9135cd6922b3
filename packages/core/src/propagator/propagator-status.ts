import type { PeerTableState } from '../dialect/propagation-target.ts'
import type { ErrorReport } from '../errors/tidemark-error.ts'
import type { PeerPhase } from './peer-life.ts'

export interface PeerStatus {
  readonly name: string
  /** Without credentials. */
  readonly address: string
  readonly phase: PeerPhase
  /** Up to where it has the log, printable; `undefined` before its first answer. */
  readonly position: string | undefined
  /** Since when it has not had everything, in milliseconds; 0: it has. */
  readonly behindMs: number
  /** Failures in a row, and the last of them. */
  readonly failures: number
  readonly lastError: ErrorReport | undefined
  /** When it is tried again, in milliseconds since 1970. */
  readonly retryAtMs: number | undefined
  /** Tables that are not live. */
  readonly tables: Readonly<Record<string, PeerTableState>>
  /** Since this propagator was made. */
  readonly sent: { readonly messages: number; readonly changes: number; readonly rowsCopied: number }
}

export interface PropagatorStatus {
  readonly origin: string
  readonly state: 'stopped' | 'running'
  readonly peers: readonly PeerStatus[]
}
