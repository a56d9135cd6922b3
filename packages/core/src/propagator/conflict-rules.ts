import type { ResolveConflict, VersionedWrites } from '../dialect/propagation-target.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** What happens when two instances have written the same row. The same on all instances that are connected. */
export interface ConflictRules {
  /**
   * `single-writer`: a table has one instance that writes it, and there are none. `last-writer-wins`: of two changes of a row the later one stays,
   * by a hybrid logical clock; a deletion is a change. A function: it says which of two changes of different instances stays, and must say the
   * same wherever and in whatever order they meet. Default `single-writer`.
   */
  readonly conflicts?: 'single-writer' | 'last-writer-wins' | ResolveConflict | undefined
  /** How far another's clock may be ahead before its changes wait, in milliseconds. Default 60,000. */
  readonly maxDriftMs?: number | undefined
  /** How long a deleted row is remembered, in milliseconds: a peer that is away for longer may bring it back. Default 30 days. */
  readonly tombstoneMs?: number | undefined
  /** Name of the change log of the instance's own database, as its source has it. Default `tidemark`. */
  readonly log?: string | undefined
}

const TOMBSTONE_MS = 30 * 86_400_000

/** `undefined` where one instance writes. */
export function versionedWrites({ conflicts = 'single-writer', maxDriftMs = 60_000, tombstoneMs = TOMBSTONE_MS }: ConflictRules, runtime: Runtime): VersionedWrites | undefined {
  if (conflicts === 'single-writer') return undefined
  return { resolve: typeof conflicts === 'function' ? conflicts : undefined, maxDriftMs, tombstoneMs, now: () => runtime.now() }
}
