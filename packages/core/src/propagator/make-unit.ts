import type { RowVersion } from '../change/hybrid-clock.ts'
import type { ChangeEvent, ChangeRow } from '../change/change-event.ts'
import type { LogPosition } from '../change/log-position.ts'
import type { RowValues, Value } from '../change/value.ts'
import type { ChangeSlice } from '../dialect/change-source.ts'
import type { PeerChange, PeerSender, PeerTable, PeerUnit, RelayedFrom } from '../dialect/propagation-target.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import { equalBytes } from '../util/equal-bytes.ts'
import type { DescribedTables } from './described-tables.ts'

export interface UnitRequest {
  readonly sender: PeerSender
  /** Where the peer stands. */
  readonly from: LogPosition
  readonly slice: ChangeSlice
  readonly relayed: RelayedFrom | undefined
  readonly version: RowVersion | undefined
  /** Tables whose changes are left out. */
  readonly without: readonly string[]
  readonly tables: DescribedTables
  readonly wants: (event: ChangeEvent) => boolean
}

/** What a slice means to one peer. It may come to no change at all. */
export function makeUnit({ sender, from, slice, relayed, version, without, tables, wants }: UnitRequest): PeerUnit {
  const changes = new UnitChanges(tables, { isVersioned: version !== undefined })
  for (const event of slice.events) if (wants(event)) changes.add(event)
  return { type: 'unit', ...sender, from, to: slice.position, isCommit: slice.commit, relayed, version, without, tables: changes.tables, changes: changes.list }
}

class UnitChanges {
  readonly tables: PeerTable[] = []
  readonly list: PeerChange[] = []
  readonly #described: DescribedTables
  readonly #isVersioned: boolean
  readonly #indexes = new Map<PeerTable, number>()

  constructor(described: DescribedTables, { isVersioned }: { readonly isVersioned: boolean }) {
    this.#described = described
    this.#isVersioned = isVersioned
  }

  add(event: ChangeEvent): void {
    // An update that changed nothing is no news to a peer, unless it makes the row newer than somebody else's.
    if (event.op === 'update' && event.changed?.length === 0 && !this.#isVersioned) return
    const described = this.#described.of(event)
    const table = this.#index(described)
    switch (event.op) {
      case 'insert':
      case 'snapshot':
        this.list.push({ op: 'upsert', table, values: rowOf(described, event.after) })
        return
      case 'update':
        if (hasMoved(described, event.before, event.after)) this.list.push({ op: 'delete', table, values: keyOf(described, event.before) })
        this.list.push({ op: 'upsert', table, values: rowOf(described, event.after) })
        return
      case 'delete':
        this.list.push({ op: 'delete', table, values: keyOf(described, event.key) })
        return
      case 'truncate':
        this.list.push({ op: 'truncate', table })
        return
      default:
        event satisfies never
    }
  }

  #index(table: PeerTable): number {
    const known = this.#indexes.get(table)
    if (known !== undefined) return known
    this.#indexes.set(table, this.tables.length)
    this.tables.push(table)
    return this.tables.length - 1
  }
}

/** A row's values in the order of the table's columns. */
export function rowOf({ columns, name }: PeerTable, row: Partial<ChangeRow>): RowValues {
  return columns.map((column) => {
    const value = row[column.name]
    if (value === undefined) throw new TidemarkError('NOT_SUPPORTED', `The log has not all columns of a change of '${name}'.`)
    return value
  })
}

/** The values of a key in its order. */
export function keyOf({ key }: PeerTable, row: Partial<ChangeRow> | null): RowValues {
  return key.map((column) => row?.[column] ?? null)
}

function isSameKey(a: Value | undefined, b: Value | undefined): boolean {
  return a === b || (a instanceof Uint8Array && b instanceof Uint8Array && equalBytes(a, b))
}

function hasMoved({ key }: PeerTable, before: Partial<ChangeRow> | null, after: Partial<ChangeRow>): boolean {
  return before !== null && key.some((column) => before[column] !== undefined && !isSameKey(before[column], after[column]))
}
