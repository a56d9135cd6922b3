import { TidemarkError, type Fence, type LeaseRequest, type LeaseStore } from '@tidemark/core/adapter'
import type { Lifetime } from './lifetime.ts'

export type StoredLeases = Map<string, { readonly holder: string; readonly token: number; readonly untilMs: number }>

export class MemoryLeases implements LeaseStore {
  readonly #leases: () => StoredLeases
  readonly #lifetime: Lifetime

  constructor(leases: () => StoredLeases, lifetime: Lifetime) {
    this.#leases = leases
    this.#lifetime = lifetime
  }

  async acquireLease({ lease, holder, nowMs, ttlMs }: LeaseRequest): Promise<Fence | undefined> {
    await this.#lifetime.turn()
    const held = this.#leases().get(lease)
    if (held !== undefined && held.holder !== holder && held.untilMs > nowMs) return undefined
    const token = (held?.token ?? 0) + 1
    this.#leases().set(lease, { holder, token, untilMs: nowMs + ttlMs })
    return { lease, token }
  }

  async renewLease(fence: Fence, { holder, nowMs, ttlMs }: LeaseRequest): Promise<boolean> {
    await this.#lifetime.turn()
    if (this.#leases().get(fence.lease)?.token !== fence.token) return false
    this.#leases().set(fence.lease, { holder, token: fence.token, untilMs: nowMs + ttlMs })
    return true
  }

  async releaseLease(fence: Fence): Promise<void> {
    await this.#lifetime.turn()
    const held = this.#leases().get(fence.lease)
    // The token stays: a later holder must get a greater one.
    if (held?.token === fence.token) this.#leases().set(fence.lease, { ...held, untilMs: Number.NEGATIVE_INFINITY })
  }

  /** Errors: `LEASE_LOST`. */
  require(fence: Fence): void {
    if (this.#leases().get(fence.lease)?.token === fence.token) return
    throw new TidemarkError('LEASE_LOST', 'Another worker holds the lease.')
  }
}
