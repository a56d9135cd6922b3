import type { Amount } from '../feed/slice-ring.ts'

export interface LagBudget extends Amount {
  /** How long a live subscriber may stay over the budget without gaining. */
  readonly graceMs: number
}

/**
 * The rule by which a live subscriber is closed: over its budget for the whole grace, and never nearer to the head than when the
 * grace began. One that gains is left in peace, however far behind it is, because it will be done.
 *
 * Source: the forwarder of rocicorp/mono, which closes by progress and not by a fixed timeout.
 */
export class LagWatch {
  readonly #budget: LagBudget
  #over: { readonly sinceMs: number; readonly behind: Amount } | undefined

  constructor(budget: LagBudget) {
    this.#budget = budget
  }

  /** Whether it is over its budget now. */
  get isOver(): boolean {
    return this.#over !== undefined
  }

  /** Whether it has to be closed. */
  observe(behind: Amount, nowMs: number): boolean {
    if (behind.bytes <= this.#budget.bytes && behind.events <= this.#budget.events) {
      this.#over = undefined
      return false
    }
    if (this.#over === undefined || hasGained(behind, this.#over.behind)) this.#over = { sinceMs: nowMs, behind }
    return nowMs - this.#over.sinceMs >= this.#budget.graceMs
  }
}

function hasGained(now: Amount, then: Amount): boolean {
  return now.bytes < then.bytes || now.events < then.events
}
