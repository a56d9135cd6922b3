/**
 * What a row of the log is. `k` of the row holds it together with the number of the layout, in one small integer: a column less
 * to write for every change.
 */
export const ENTRY = {
  /** `v`: the new row. */
  insert: 0,
  /** `v`: the new row, then the old one, in which a text or blob that did not change is left out. */
  update: 1,
  /** `v`: the old row. */
  delete: 2,
  /** An update in two entries, where one row of the log can't hold both: the old row. The next entry is its `updateAfter`. */
  updateBefore: 3,
  updateAfter: 4,
  /** `v`: a row as it was when the layout was made, because changes logged just before it may be incomplete. */
  refresh: 5,
  /** Something other than a row; `v0` says what. */
  mark: 6,
  /** `v`: only the key is known. A row that changes logged just before may wrongly say is there. */
  refreshGone: 7,
} as const

export type EntryKind = (typeof ENTRY)[keyof typeof ENTRY]

/** What a mark says, in `v0`; `v1` has more. */
export type MarkKind =
  /** The log was made. */
  | 'begin'
  /** The layout's columns are new from here on. */
  | 'schema'
  /** The table is gone; `v1` is its name. */
  | 'dropped'
  /** Writes to the table may not have been logged; `v1` is its name. */
  | 'gap'
  /** The table was made anew; all of its rows follow. */
  | 'truncate'
  /** The first entry of a transaction that applied a peer's change; `v1` says whose, see origin-text.ts. */
  | 'origin'
  /** The last entry of such a transaction. */
  | 'origin-end'

const KINDS = 8

/** As an integer literal in a trigger and as a number when read. */
export function entryCode(layoutId: number, kind: EntryKind): number {
  return layoutId * KINDS + kind
}

export function layoutOf(code: number): number {
  return Math.floor(code / KINDS)
}

export function kindOf(code: number): EntryKind {
  return code % KINDS as EntryKind // eight kinds, all of them named
}
