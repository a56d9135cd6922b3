import type { RelayedTable } from '@tidemark/core/adapter'
import type { AppliedTable } from './apply-changes.ts'
import type { Batch } from './batch.ts'
import type { PeerNames } from './peer-names.ts'
import type { KeptSender } from './peer-state.ts'
import type { SqlitePropagationHost } from './sqlite-propagation-target.ts'
import type { VersionedApply } from './versions/versioned-apply.ts'

export interface ApplyContext {
  readonly names: PeerNames
  readonly host: Pick<SqlitePropagationHost, 'maxParameters' | 'keepsForeignKeys' | 'keepsTriggers'>
  readonly guards: boolean
  readonly known: KeptSender
  /** The receiving instance. */
  readonly own: string | undefined
  /** Tables of the instance that made a passed-on change. */
  readonly relayed: ReadonlyMap<string, RelayedTable>
  /** Tables that could not be written to in an earlier try. */
  readonly failed: ReadonlySet<string>
  /** Where several instances write. */
  readonly versioned: VersionedApply | undefined
}

/** A batch with how each of its tables is written here. */
export interface PlannedBatch extends Batch {
  readonly applied: readonly (AppliedTable | undefined)[]
}
