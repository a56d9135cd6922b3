import type { Runtime } from '../runtime/runtime.ts'

/** Longer than a timer turn costs by far, shorter than anybody notices. */
const TURN_MS = 25

/**
 * Lets the host's timers and sockets have their turn during long work. A synchronous driver answers in microtasks, so that a loop
 * over a million changes would otherwise be one turn, in which no lease is renewed and no signal arrives.
 */
export class Breather {
  readonly #runtime: Runtime
  #sinceMs: number

  constructor(runtime: Runtime) {
    this.#runtime = runtime
    this.#sinceMs = runtime.now()
  }

  /** Call before something that may be long after a real wait. */
  rested(): void {
    this.#sinceMs = this.#runtime.now()
  }

  async pause(signal: AbortSignal): Promise<void> {
    if (this.#runtime.now() - this.#sinceMs < TURN_MS) return
    await this.#runtime.sleep(0, signal).catch(() => undefined) // an abort is seen by the loop
    this.rested()
  }
}
