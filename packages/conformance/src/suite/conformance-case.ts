/**
 * One requirement as data: runner bindings, reports and the documentation's matrix read the same list.
 *
 * Ids are stable and can be cited; they are never used again for something else.
 */
export interface ConformanceCase<Traits, Harness> {
  /** Such as `SRC-21`, or `SRC-81.readRows` where one rule is held against every method. */
  readonly id: string
  /** What holds, as a sentence. */
  readonly title: string
  /** `true`, or the reason why the case says nothing about such an adapter. The only way not to run a case. */
  appliesTo(traits: Traits): true | string
  /** Rejects when the rule does not hold. The harness holds a fresh database and belongs to the case. */
  run(harness: Harness): Promise<void>
}

/** Something to hold the cases against: its traits are known before anything is opened. */
export interface ConformanceSubject<Traits, Harness extends AsyncDisposable> {
  /** For titles: `postgres 16`. */
  readonly name: string
  readonly traits: Traits
  /** A fresh, empty database. Called once per case. */
  open(): Promise<Harness>
}

export interface Selection {
  /** Ids to run; absent: all. An unknown id throws, so that a misspelt one can't pass for green. */
  readonly only?: readonly string[] | undefined
}

/** For {@link ConformanceCase.appliesTo}: the case holds for everyone. */
export function always(): true {
  return true
}
