import type { LogPosition } from '../change/log-position.ts'
import type { ChangeConnection } from '../dialect/change-source.ts'
import { HeldLease } from '../engine/held-lease.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import type { Runtime } from '../runtime/runtime.ts'

export interface RetainedPlaceOptions {
  readonly consumer: string
  readonly ttlMs: number
  readonly runtime: Runtime
}

/** One peer's place in the source's log, as the log keeps it. By one process at a time: where another has the lease, that one notes it. */
export class RetainedPlace implements AsyncDisposable {
  readonly #connection: ChangeConnection
  readonly #options: RetainedPlaceOptions
  #lease: HeldLease | undefined
  /** When the lease is asked for again, where another process has it. */
  #askAtMs = 0

  constructor(connection: ChangeConnection, options: RetainedPlaceOptions) {
    this.#connection = connection
    this.#options = options
  }

  async note(position: LogPosition): Promise<void> {
    const { consumer } = this.#options
    try {
      const lease = await this.#held()
      await lease?.renew()
      if (lease !== undefined) await this.#connection.retain({ consumer, position, fence: lease.fence })
    } catch (error) {
      if (!(error instanceof TidemarkError) || error.code !== 'LEASE_LOST') throw error
      this.#lease = undefined
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lease?.[Symbol.asyncDispose]().catch(() => undefined)
  }

  async #held(): Promise<HeldLease | undefined> {
    const { consumer, ttlMs, runtime } = this.#options
    if (this.#lease !== undefined || runtime.now() < this.#askAtMs) return this.#lease
    try {
      this.#lease = await HeldLease.acquire(this.#connection.leases, runtime, { lease: consumer, holder: crypto.randomUUID(), ttlMs })
    } catch (error) {
      if (!(error instanceof TidemarkError) || error.code !== 'LEASE_HELD') throw error
      this.#askAtMs = runtime.now() + ttlMs
    }
    return this.#lease
  }
}
