interface Sample {
  readonly atMs: number
  readonly rows: number
}

const WINDOW_MS = 10_000

/** Rows per second over the last ten seconds: a mean over all of a long load would hide that it slowed down. */
export class RateMeter {
  #samples: Sample[] = []

  /** Rows so far at a time of the run. A count that falls begins a new phase. */
  observe(atMs: number, rows: number): void {
    const last = this.#samples.at(-1)
    if (last !== undefined && rows < last.rows) this.#samples = []
    this.#samples.push({ atMs, rows })
    while (this.#samples.length > 2 && (this.#samples[1]?.atMs ?? atMs) <= atMs - WINDOW_MS) this.#samples.shift()
  }

  /** `undefined` before two samples: the first may count the rows of an earlier run. */
  get rowsPerSecond(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)]
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return undefined
    return (last.rows - first.rows) * 1_000 / (last.atMs - first.atMs)
  }
}
