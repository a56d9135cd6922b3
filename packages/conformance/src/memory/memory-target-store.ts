import type { RowValues, RunLogEntry, StoredReplication, TargetTable } from '@tidemark/core/adapter'
import type { WriteCounts } from '../harness/target-harness.ts'

export interface StoredRow {
  readonly values: RowValues
  readonly deletedAtMs: number | undefined
}

export interface StoredTable {
  readonly table: TargetTable
  /** Prefix of the Tidemark that made it; `undefined`: a user did. */
  readonly owner: string | undefined
  readonly rows: Map<string, StoredRow>
  readonly userIndexes: readonly (readonly string[])[]
  readonly triggers: readonly { counts: WriteCounts }[]
}

export interface StoredLease {
  readonly holder: string
  readonly token: number
  readonly untilMs: number
}

export interface StoredLedger {
  readonly version: number
  readonly replications: Map<string, StoredReplication>
  readonly runs: readonly RunLogEntry[]
  readonly leases: Map<string, StoredLease>
}

export interface StoredState {
  readonly tables: Map<string, StoredTable>
  readonly staged: Map<string, StoredTable>
  /** By prefix. */
  readonly ledgers: Map<string, StoredLedger>
}

/** A database in memory whose transactions work on a copy: what throws has changed nothing. */
export class MemoryTargetStore {
  #state: StoredState = { tables: new Map(), staged: new Map(), ledgers: new Map() }

  get state(): StoredState {
    return this.#state
  }

  transaction<T>(work: (draft: StoredState) => T): T {
    const draft = copy(this.#state)
    const result = work(draft)
    this.#state = draft
    return result
  }
}

/** The ledger of a prefix; the target's `connect` made it. */
export function ledgerOf(state: StoredState, prefix: string): StoredLedger {
  const ledger = state.ledgers.get(prefix)
  if (ledger === undefined) throw new TypeError(`No target with the prefix ${prefix} was connected.`)
  return ledger
}

function copy(state: StoredState): StoredState {
  return {
    tables: copyTables(state.tables),
    staged: copyTables(state.staged),
    ledgers: new Map([...state.ledgers].map(([prefix, ledger]) => [prefix, {
      ...ledger, replications: new Map(ledger.replications), leases: new Map(ledger.leases),
    }])),
  }
}

function copyTables(tables: ReadonlyMap<string, StoredTable>): Map<string, StoredTable> {
  return new Map([...tables].map(([name, table]) => [name, { ...table, rows: new Map(table.rows) }]))
}
