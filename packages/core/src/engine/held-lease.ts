import { TidemarkError } from '../errors/tidemark-error.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Fence, LeaseRequest, LeaseStore } from '../state/lease.ts'

export interface LeaseOptions {
  readonly lease: string
  readonly holder: string
  readonly ttlMs: number
}

/** A lease for as long as work goes on. Renewed between steps, given back on dispose. */
export class HeldLease implements AsyncDisposable {
  readonly fence: Fence
  readonly #store: LeaseStore
  readonly #runtime: Runtime
  readonly #options: LeaseOptions
  #renewAtMs: number

  private constructor(store: LeaseStore, runtime: Runtime, held: { readonly options: LeaseOptions; readonly fence: Fence }) {
    this.#store = store
    this.#runtime = runtime
    this.#options = held.options
    this.fence = held.fence
    this.#renewAtMs = runtime.now() + held.options.ttlMs / 3
  }

  /** Errors: `LEASE_HELD` while another holder's lease has not run out. */
  static async acquire(store: LeaseStore, runtime: Runtime, options: LeaseOptions): Promise<HeldLease> {
    const fence = await store.acquireLease(request(runtime, options))
    if (fence === undefined) throw new TidemarkError('LEASE_HELD', `Another worker holds the lease "${options.lease}".`)
    return new HeldLease(store, runtime, { options, fence })
  }

  /** Costs nothing until a third of the lease's time is gone. Errors: `LEASE_LOST`. */
  async renew(): Promise<void> {
    if (this.#runtime.now() < this.#renewAtMs) return
    const isHeld = await this.#store.renewLease(this.fence, request(this.#runtime, this.#options))
    if (!isHeld) throw new TidemarkError('LEASE_LOST', `Another worker has taken the lease "${this.#options.lease}".`)
    this.#renewAtMs = this.#runtime.now() + this.#options.ttlMs / 3
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store.releaseLease(this.fence)
  }
}

function request(runtime: Runtime, options: LeaseOptions): LeaseRequest {
  return { ...options, nowMs: runtime.now() }
}
