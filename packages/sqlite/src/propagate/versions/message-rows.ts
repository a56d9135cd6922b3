import type { PeerChange, RowVersion } from '@tidemark/core/adapter'
import type { Winner } from './newer-changes.ts'

/** What the changes of one message that win do to each row, in their order, and how far that is done. */
export class MessageRows {
  readonly #byRow = new Map<string, Winner[]>()
  readonly #rows = new Map<PeerChange, string>()
  readonly #done = new Set<PeerChange>()
  readonly #dropped = new Set<PeerChange>()

  add(table: string, winners: readonly Winner[]): void {
    for (const winner of winners) {
      const row = nameOf(table, winner.key)
      this.#rows.set(winner.change, row)
      const known = this.#byRow.get(row)
      if (known === undefined) this.#byRow.set(row, [winner])
      else known.push(winner)
    }
  }

  /** The key's text of the row that a change is of. */
  keyOf(change: PeerChange): string {
    return this.#winners(change).find((winner) => winner.change === change)?.key ?? ''
  }

  /** Whether none of the group's changes writes the row again behind this one. */
  isLast(change: PeerChange, group: ReadonlySet<PeerChange>): boolean {
    return this.#winners(change).findLast((winner) => group.has(winner.change))?.change === change
  }

  /** The changes of a row among the group's, in their order. */
  changesOf(table: string, key: string, group: ReadonlySet<PeerChange>): readonly PeerChange[] {
    return (this.#byRow.get(nameOf(table, key)) ?? []).map(({ change }) => change).filter((change) => group.has(change))
  }

  /** What is still to be done to a row. */
  left(table: string, key: string): readonly Winner[] {
    return (this.#byRow.get(nameOf(table, key)) ?? []).filter(({ change }) => !this.#done.has(change) && !this.#dropped.has(change))
  }

  /** The version that a row has now; `undefined` where the message does nothing to it. `seen`: changes done since the last `finish`. */
  versionNow(table: string, key: string, seen: ReadonlySet<PeerChange>): { readonly version: RowVersion | undefined } | undefined {
    const winners = this.#byRow.get(nameOf(table, key)) ?? []
    const last = winners.findLast(({ change }) => this.#done.has(change) || seen.has(change))
    if (last !== undefined) return { version: last.version }
    const [first] = winners
    return first === undefined ? undefined : { version: first.before }
  }

  finish(changes: Iterable<PeerChange>): void {
    for (const change of changes) this.#done.add(change)
  }

  drop(changes: Iterable<PeerChange>): void {
    for (const change of changes) this.#dropped.add(change)
  }

  #winners(change: PeerChange): readonly Winner[] {
    return this.#byRow.get(this.#rows.get(change) ?? '') ?? []
  }
}

function nameOf(table: string, key: string): string {
  return `${key} ${table}`
}
