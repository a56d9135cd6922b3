import type { Amount } from '../feed/slice-ring.ts'

export interface LagBudget extends Amount {
  /** How long a live subscriber may stay over the budget without gaining. */
  readonly graceMs: number
}

/**
 * The rule by which a live subscriber is closed: over its budget for the whole grace, and at its end no nearer to the head than it ever
 * was in it. One that gains is left in peace, however far behind it is, because it will be done.
 *
 * Source: the forwarder of rocicorp/mono, which closes by progress and not by a fixed timeout.
 */
export class LagWatch {
  readonly #budget: LagBudget
  #over: { readonly sinceMs: number; readonly peak: Amount } | undefined

  constructor(budget: LagBudget) {
    this.#budget = budget
  }

  /** Whether it is over its budget now. */
  get isOver(): boolean {
    return this.#over !== undefined
  }

  /** Whether it has to be closed. */
  observe(behind: Amount, nowMs: number): boolean {
    const wasOver = this.#over
    const isOver = behind.bytes > this.#budget.bytes || behind.events > this.#budget.events
    this.#over = isOver ? { sinceMs: wasOver?.sinceMs ?? nowMs, peak: higher(behind, wasOver?.peak) } : undefined
    if (this.#over === undefined || nowMs - this.#over.sinceMs < this.#budget.graceMs) return false
    const { peak } = this.#over
    const hasGained = behind.bytes < peak.bytes || behind.events < peak.events
    if (hasGained) this.#over = { sinceMs: nowMs, peak: behind }
    return !hasGained
  }
}

function higher(a: Amount, b: Amount = a): Amount {
  return { bytes: Math.max(a.bytes, b.bytes), events: Math.max(a.events, b.events) }
}
