import { TidemarkError } from '@tidemark/core/adapter'

/** Whether a connection is still open, and the one place where its calls wait. */
export class Lifetime {
  #closed = false
  readonly #pause: () => Promise<void>

  /** `pause`: what a round trip is. A turn of the event loop by default; a suite of many small calls may take a shorter one. */
  constructor(pause: () => Promise<void> = nextTask) {
    this.#pause = pause
  }

  close(): void {
    this.#closed = true
  }

  /** Lets other work run once, as a round trip would. Errors: `CLOSED`, `ABORTED`. */
  async turn(signal?: AbortSignal): Promise<void> {
    this.#check(signal)
    await this.#pause()
    this.#check(signal)
  }

  /** Waits for `gate` no longer than until the signal fires. Errors: `ABORTED`. */
  async wait(gate: Promise<void>, signal?: AbortSignal): Promise<void> {
    if (signal === undefined) return gate
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(aborted()), { once: true })
      gate.then(resolve, reject)
    })
  }

  #check(signal: AbortSignal | undefined): void {
    if (this.#closed) throw new TidemarkError('CLOSED', 'The connection is closed.')
    if (signal?.aborted === true) throw aborted()
  }
}

function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0))
}

function aborted(): TidemarkError {
  return new TidemarkError('ABORTED', 'The call was aborted.')
}
