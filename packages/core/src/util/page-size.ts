/** A first page small enough for the widest rows; the next ones follow the bytes seen. */
const FIRST_PAGE_ROWS = 200

export interface PageSizeLimits {
  readonly maxRows: number
  readonly maxBytes: number
}

/**
 * How many rows to ask for, so that a page takes about `maxBytes`, whatever the rows' width. Grows at most fourfold a
 * page: a table's first rows are often its narrowest.
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
    this.#rows = Math.max(1, Math.min(fitting, this.#rows * 4, this.#limits.maxRows))
  }
}
