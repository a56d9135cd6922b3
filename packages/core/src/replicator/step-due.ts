import type { AbortOptions } from '../dialect/source.ts'
import type { TidemarkError } from '../errors/tidemark-error.ts'
import { toTidemarkError } from '../errors/to-tidemark-error.ts'
import type { Logger } from '../log/logger.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { StoredReplication } from '../state/ledger.ts'
import { throwIfAborted } from '../util/throw-if-aborted.ts'
import type { ReplicationRunner } from './replication-runner.ts'

export interface StepDueOptions extends AbortOptions {
  /** How long steps may begin, in milliseconds; the one under way then ends. Default 10,000. */
  readonly budget?: { readonly ms?: number | undefined } | undefined
}

/** What is known of one replication at a call. */
export interface Candidate {
  readonly runner: ReplicationRunner
  readonly stored: StoredReplication
}

export interface StepDueContext {
  readonly runtime: Runtime
  readonly logger: Logger
  /** Replications at work side by side. */
  readonly concurrency: number
  /** Whether fewer are at work than may be. */
  readonly hasPlace: () => boolean
  /** When to look again at what another process, or a call of `syncNow`, is at. */
  readonly elsewhereMs: number
}

/** One call: what is due gets its slice, side by side, until the time is over. */
export class StepDue {
  readonly #context: StepDueContext
  readonly #untilMs: number
  readonly #signal: AbortSignal | undefined
  readonly #times: number[] = []

  constructor(context: StepDueContext, { budget, signal }: StepDueOptions) {
    this.#context = context
    this.#untilMs = context.runtime.now() + (budget?.ms ?? 10_000)
    this.#signal = signal
  }

  /** Gives when the next of them is due. Errors: `ABORTED`; what goes wrong with a replication delays none of the others. */
  async run(candidates: readonly Candidate[]): Promise<number | undefined> {
    const due: Candidate[] = []
    for (const candidate of candidates) if (await this.#isDue(candidate)) due.push(candidate)
    // Who had no turn for the longest time goes first: loads of hours must not keep the others out.
    const queue = due.toSorted((a, b) => a.runner.lastSliceAtMs - b.runner.lastSliceAtMs)
    await Promise.all(Array.from({ length: this.#context.concurrency }, () => this.#work(queue)))
    throwIfAborted(this.#signal)
    // For them there was no time, or no place.
    if (queue.length > 0) this.#times.push(this.#isOver ? this.#context.runtime.now() : this.#elsewhereAtMs)
    return this.#times.length === 0 ? undefined : Math.min(...this.#times)
  }

  async #isDue({ runner, stored }: Candidate): Promise<boolean> {
    if (runner.isFlying) {
      this.#times.push(this.#elsewhereAtMs)
      return false
    }
    const atMs = await runner.dueAtMs(stored)
    if (atMs !== undefined && atMs <= this.#context.runtime.now()) return true
    this.#next(runner, atMs)
    return false
  }

  /** One after the other from the queue; the first whatever the time, so that each call gets on. */
  async #work(queue: Candidate[]): Promise<void> {
    for (let isFirst = true; isFirst || !this.#isOver; isFirst = false) {
      const next = this.#context.hasPlace() ? queue.shift() : undefined
      if (next === undefined) return
      await this.#slice(next)
    }
  }

  async #slice({ runner, stored }: Candidate): Promise<void> {
    const { runtime } = this.#context
    if (runner.isFlying) return void this.#times.push(this.#elsewhereAtMs)
    try {
      const { isComplete } = await runner.slice({ untilMs: this.#untilMs, signal: this.#signal })
      this.#next(runner, isComplete ? await runner.dueAtMs({ ...stored, lastSyncAtMs: runtime.now() }) : runtime.now())
    } catch (error) {
      await this.#failed({ runner, stored }, toTidemarkError(error))
    }
  }

  /** A failed run is in the log, the status and the events already: here it only decides when the next one is due. */
  async #failed({ runner, stored }: Candidate, { code }: TidemarkError): Promise<void> {
    this.#context.logger.warn({ replication: runner.replication.name, code }, 'A replication could not be stepped.')
    if (code === 'ABORTED' || code === 'LEASE_HELD') this.#times.push(this.#elsewhereAtMs)
    else this.#next(runner, await runner.dueAtMs(stored))
  }

  #next(runner: ReplicationRunner, atMs: number | undefined): void {
    runner.awaits(atMs)
    if (atMs !== undefined) this.#times.push(atMs)
  }

  get #isOver(): boolean {
    return this.#signal?.aborted === true || this.#context.runtime.now() >= this.#untilMs
  }

  get #elsewhereAtMs(): number {
    return this.#context.runtime.now() + this.#context.elsewhereMs
  }
}
