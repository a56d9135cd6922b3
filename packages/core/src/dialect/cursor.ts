/**
 * Where an incremental pull stopped: the tracking value plus the key that breaks ties.
 *
 * Every part is the source's **own text** of the value, cast back by the source. Core never compares cursors:
 * collations, infinities and unsigned numbers order differently in JavaScript.
 */
export interface Cursor {
  /** Absent when rows are read in key order only. */
  readonly tracking?: string | undefined
  /** Empty: before all rows of the tracking value, so that `after` takes them in again. */
  readonly key: readonly string[]
}

/**
 * How far a source had been read, and what its transactions were doing then. The mark settles, and its cursor
 * becomes safe to never look behind again, once a later read saw every transaction that was open at the time.
 */
export interface Mark {
  readonly cursor: Cursor
  /** Opaque to core: made by the source, handed back to the same source. */
  readonly fence: string
  /** `Runtime.now()` of the read, in milliseconds. */
  readonly readAtMs: number
}
