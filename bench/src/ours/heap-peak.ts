const SAMPLE_MS = 10
const MB = 1_000_000

/** The highest use of the heap, looked at on a timer and whenever asked to: synchronous work holds the timer up. */
export class HeapPeak {
  readonly #timer = setInterval(() => this.sample(), SAMPLE_MS).unref()
  #bytes = 0

  sample(): void {
    this.#bytes = Math.max(this.#bytes, process.memoryUsage().heapUsed)
  }

  stop(): { readonly heapMb: number; readonly rssMb: number } {
    clearInterval(this.#timer)
    this.sample()
    // The kernel's own high-water mark, in kilobytes.
    return { heapMb: Math.round(this.#bytes / MB), rssMb: Math.round(process.resourceUsage().maxRSS * 1_024 / MB) }
  }
}
