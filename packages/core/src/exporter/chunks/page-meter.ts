import type { Runtime } from '../../runtime/runtime.ts'

/** How long the source may be busy with one page. A Durable Object or a synchronous driver serves nobody else meanwhile. */
const TARGET_MS = 10
const MIN_BYTES = 16_384
const MAX_BYTES = 4_194_304
const FIRST_BYTES = 131_072

/**
 * How much to ask for at a time, so that a page takes about 10 ms: twice as much after a page that was quick, half after one that was not.
 * Also lets timers and sockets have their turn between pages, since a synchronous driver answers in microtasks.
 */
export class PageMeter {
  readonly #runtime: Runtime
  #bytes = FIRST_BYTES
  #slowestMs = 0
  #sinceMs: number

  constructor(runtime: Runtime) {
    this.#runtime = runtime
    this.#sinceMs = runtime.now()
  }

  get bytes(): number {
    return this.#bytes
  }

  get slowestMs(): number {
    return this.#slowestMs
  }

  async read<T>(page: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const startMs = this.#runtime.now()
    const result = await page()
    this.#observe(this.#runtime.now() - startMs)
    await this.#breathe(signal)
    return result
  }

  #observe(ms: number): void {
    this.#slowestMs = Math.max(this.#slowestMs, ms)
    if (ms > TARGET_MS) this.#bytes = Math.max(MIN_BYTES, this.#bytes / 2)
    else if (ms < TARGET_MS / 3) this.#bytes = Math.min(MAX_BYTES, this.#bytes * 2)
  }

  async #breathe(signal: AbortSignal): Promise<void> {
    if (this.#runtime.now() - this.#sinceMs < TARGET_MS) return
    await this.#runtime.sleep(0, signal).catch(() => undefined) // an abort is seen by the loop
    this.#sinceMs = this.#runtime.now()
  }
}
