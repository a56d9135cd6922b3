/** A first page small enough for the widest rows; the next ones follow the bytes seen. */
const FIRST_PAGE_ROWS = 200

/** Where a run may begin that knows the rows of runs before: an ordinary poll's changes in one page, should they have stayed as wide. */
const RESTART_ROWS = 2_000

export interface PageSizeLimits {
  readonly maxRows: number
  readonly maxBytes: number
}

/**
 * How many rows to ask for, so that a page takes about `maxBytes`, whatever the rows' width. Grows at most to fourfold the rows
 * of a page: a table's first rows are often its narrowest.
 */
export class PageSize {
  readonly #limits: PageSizeLimits
  #rows: number

  constructor(limits: PageSizeLimits) {
    this.#limits = limits
    this.#rows = Math.min(FIRST_PAGE_ROWS, limits.maxRows)
  }

  get rows(): number {
    return this.#rows
  }

  observe(rows: number, bytes: number): void {
    if (rows === 0) return
    const fitting = Math.floor(this.#limits.maxBytes / Math.max(1, bytes / rows))
    // A page that was not full says little about the rows of a full one, and is no reason to ask for more.
    this.#rows = Math.max(1, Math.min(fitting, Math.max(this.#rows, rows * 4), this.#limits.maxRows))
  }

  /** Before a run's first page: what the table's rows were like in the last one holds, but is not relied upon to the full. */
  restart(): void {
    this.#rows = Math.min(this.#rows, RESTART_ROWS)
  }
}
