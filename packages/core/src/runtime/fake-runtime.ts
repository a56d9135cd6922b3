import { TidemarkError } from '../errors/tidemark-error.ts'
import type { Runtime, Wakeup } from './runtime.ts'

interface Timer {
  readonly dueMs: number
  readonly order: number
  readonly fire: () => void
}

export interface FakeRuntimeOptions {
  /** Milliseconds since 1970 at the start. Default: 2024-01-01. */
  readonly startMs?: number | undefined
  /** Seed of `random()`. Default 1. */
  readonly seed?: number | undefined
}

/**
 * A runtime whose time stands still until told to move. Timers fire in the order of their due time, and each one's
 * promises are let run before the next fires, so a run is the same every time.
 */
export class FakeRuntime implements Runtime {
  readonly #timers = new Set<Timer>()
  readonly #wakeups = new Map<string, Timer>()
  readonly #kept = new Set<Promise<unknown>>()
  #nowMs: number
  #order = 0
  #seed: number

  constructor(options: FakeRuntimeOptions = {}) {
    this.#nowMs = options.startMs ?? Date.UTC(2024, 0, 1)
    this.#seed = options.seed ?? 1
  }

  now(): number {
    return this.#nowMs
  }

  /** A linear congruential generator (Numerical Recipes' constants): short, seeded, good enough for jitter. */
  random(): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0
    return this.#seed / 2 ** 32
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#timers.delete(timer)
        reject(new TidemarkError('ABORTED', 'The wait was aborted.'))
      }
      const timer = this.#add(delayMs, () => {
        signal?.removeEventListener('abort', abort)
        resolve()
      })
      if (signal?.aborted === true) abort()
      else signal?.addEventListener('abort', abort, { once: true })
    })
  }

  waitUntil(work: Promise<unknown>): void {
    this.#kept.add(work)
    void work.catch(() => undefined).then(() => this.#kept.delete(work))
  }

  wakeAfter(name: string, delayMs: number, handler: () => Promise<void>): Wakeup {
    const earlier = this.#wakeups.get(name)
    if (earlier !== undefined) this.#timers.delete(earlier)
    const timer = this.#add(delayMs, () => {
      this.#wakeups.delete(name)
      void handler()
    })
    this.#wakeups.set(name, timer)
    return { cancel: () => void this.#timers.delete(timer) }
  }

  /** Names with a wake-up set, and when each is due. */
  get wakeups(): ReadonlyMap<string, number> {
    return new Map([...this.#wakeups].filter(([, timer]) => this.#timers.has(timer)).map(([name, timer]) => [name, timer.dueMs]))
  }

  /** Timers and kept work still pending: 0 after a clean stop. */
  get pending(): number {
    return this.#timers.size + this.#kept.size
  }

  /** Moves time forward, firing what falls due on the way. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#timers.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      next.fire()
      await settlePromises()
    }
    this.#nowMs = untilMs
    await settlePromises()
  }

  #add(delayMs: number, fire: () => void): Timer {
    this.#order += 1
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order, fire }
    this.#timers.add(timer)
    return timer
  }

  #next(untilMs: number): Timer | undefined {
    const due = [...this.#timers].filter((timer) => timer.dueMs <= untilMs)
    return due.sort((a, b) => a.dueMs - b.dueMs || a.order - b.order)[0]
  }
}

/** Lets chains of already settled promises run to their end; a real timer turn follows every microtask. */
function settlePromises(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, 0))
}
