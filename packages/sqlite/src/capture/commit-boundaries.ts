/** Ends kept before the older ones are thinned out. */
const MAX_ENDS = 8_192

/**
 * The numbers in the log at which a transaction is known to end. SQLite records no such thing, but only one writer is at work at
 * a time and a reader sees whole transactions: the greatest number of any view is one. What was committed between two looks
 * counts as one transaction, and forgetting an end only merges two.
 */
export class CommitBoundaries {
  #ends: number[] = []

  /** Costs nothing when `end` is the newest, as it nearly always is. */
  add(end: number): void {
    const last = this.#ends.at(-1)
    if (last === end) return
    if (last === undefined || end > last) this.#ends.push(end)
    else this.#insert(end)
    // The older half loses every other end: a reader that far behind takes larger bites.
    if (this.#ends.length > MAX_ENDS) this.#ends = this.#ends.filter((_, index) => index > MAX_ENDS / 2 || index % 2 === 0)
  }

  /** The greatest end above `after` and up to `last`. */
  lastWithin(after: number, last: number): number | undefined {
    const end = this.#ends[this.#countUpTo(last) - 1]
    return end !== undefined && end > after ? end : undefined
  }

  /** The least end from `number` on. */
  next(number: number): number | undefined {
    return this.#ends[this.#countUpTo(number - 1)]
  }

  #insert(end: number): void {
    const at = this.#countUpTo(end)
    if (this.#ends[at - 1] !== end) this.#ends.splice(at, 0, end)
  }

  /** How many ends are at most `number`: a binary search. */
  #countUpTo(number: number): number {
    let low = 0
    let high = this.#ends.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#ends[middle] ?? 0) <= number) low = middle + 1
      else high = middle
    }
    return low
  }
}
