import type { Runtime } from '../runtime/runtime.ts'

export interface BellWait {
  readonly signal: AbortSignal
  /** Wait at most this long; absent: until it rings. */
  readonly timeout?: { readonly runtime: Runtime; readonly ms: number } | undefined
}

/**
 * Wakes one waiter. A ring that nobody waits for is remembered, so that none is lost between two waits. Leaves neither timer
 * nor listener behind, however the wait ends.
 */
export class Bell {
  #isRung = false
  #wake: (() => void) | undefined

  ring(): void {
    this.#isRung = true
    this.#wake?.()
  }

  /** Resolves at a ring, at the timeout, or when the signal fires: the caller looks which. */
  async wait({ signal, timeout }: BellWait): Promise<void> {
    if (!this.#isRung && !signal.aborted) await this.#sleep(signal, timeout)
    this.#isRung = false
  }

  async #sleep(signal: AbortSignal, timeout: BellWait['timeout']): Promise<void> {
    const end = new AbortController()
    const rung = new Promise<void>((resolve) => { this.#wake = resolve })
    const wake = (): void => this.#wake?.()
    signal.addEventListener('abort', wake, { once: true })
    try {
      const slept = timeout?.runtime.sleep(timeout.ms, end.signal).catch(() => undefined)
      await (slept === undefined ? rung : Promise.race([rung, slept]))
    } finally {
      this.#wake = undefined
      signal.removeEventListener('abort', wake)
      end.abort()
    }
  }
}
