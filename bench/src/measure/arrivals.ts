/** Hands the moment at which an event came to whoever waits for the next one. Events that nobody waits for are an error of the bench. */
export class Arrivals {
  #waiting: ((atMs: number) => void) | undefined

  /** Resolves to `performance.now()` as it was when the event came. */
  next(): Promise<number> {
    return new Promise((resolve) => {
      this.#waiting = resolve
    })
  }

  note(events: number): void {
    if (events === 0) return
    if (events > 1 || this.#waiting === undefined) throw new Error(`${events} events came at once, or unasked.`)
    this.#waiting(performance.now())
    this.#waiting = undefined
  }
}
