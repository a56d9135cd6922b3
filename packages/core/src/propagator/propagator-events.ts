import type { ErrorReport } from '../errors/tidemark-error.ts'
import type { PeerPhase } from './peer-life.ts'

/** What a propagator tells of. No payload has a row value. */
export interface PropagatorEvents {
  /** A peer is in another phase. */
  'peer:phase': { readonly peer: string; readonly phase: PeerPhase }
  /** A message goes to a peer, and its answer has come; what fails in between is told by `peer:error`. */
  'peer:message': { readonly peer: string; readonly phase: 'sent' | 'answered'; readonly type: 'hello' | 'unit' | 'chunk'; /** Or rows of a copy. */ readonly changes: number }
  /** A peer has taken changes. */
  'peer:applied': { readonly peer: string; readonly changes: number; readonly position: string }
  /** A peer has taken rows of a table that were there before; `done`: the last of it. */
  'peer:copied': { readonly peer: string; readonly table: string; readonly rows: number; readonly done: boolean }
  /** Since when a peer has not had everything, in milliseconds; comes with every message and every failure. */
  'peer:lag': { readonly peer: string; readonly ms: number }
  /** A message could not be delivered; it is sent again after `delayMs`. */
  'peer:error': { readonly peer: string; readonly error: ErrorReport; readonly attempt: number; readonly delayMs: number }
  /** A peer applies nothing of a table until the reason is gone. */
  'table:refused': { readonly peer: string; readonly table: string; readonly error: ErrorReport }
  /** A message was given to `deadLetter`. */
  'peer:dead-letter': { readonly peer: string; readonly error: ErrorReport; readonly changes: number }
}
