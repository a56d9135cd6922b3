import { TidemarkError, type Fence, type LeaseRequest, type LeaseStore } from '@tidemark/core/adapter'

interface Held {
  readonly holder: string
  readonly token: number
  readonly expiresAtMs: number
}

/** Leases of this process. That is as far as a session's log reaches, so another process needs no telling. */
export class MemoryLeases implements LeaseStore {
  readonly #held = new Map<string, Held>()

  acquireLease({ lease, holder, nowMs, ttlMs }: LeaseRequest): Promise<Fence | undefined> {
    const held = this.#held.get(lease)
    if (held !== undefined && held.expiresAtMs > nowMs && held.holder !== holder) return Promise.resolve(undefined)
    const token = (held?.token ?? 0) + 1
    this.#held.set(lease, { holder, token, expiresAtMs: nowMs + ttlMs })
    return Promise.resolve({ lease, token })
  }

  renewLease(fence: Fence, { holder, nowMs, ttlMs }: LeaseRequest): Promise<boolean> {
    if (!this.isCurrent(fence)) return Promise.resolve(false)
    this.#held.set(fence.lease, { holder, token: fence.token, expiresAtMs: nowMs + ttlMs })
    return Promise.resolve(true)
  }

  releaseLease(fence: Fence): Promise<void> {
    const held = this.#held.get(fence.lease)
    // The token stays, so that the next one is higher.
    if (held !== undefined && held.token === fence.token) this.#held.set(fence.lease, { ...held, expiresAtMs: Number.NEGATIVE_INFINITY })
    return Promise.resolve()
  }

  isCurrent(fence: Fence): boolean {
    return this.#held.get(fence.lease)?.token === fence.token
  }
}

const BY_DATABASE = new WeakMap<object, MemoryLeases>()

/** One store for a database object, whichever source asks. */
export function leasesOf(database: object): MemoryLeases {
  const known = BY_DATABASE.get(database)
  if (known !== undefined) return known
  const leases = new MemoryLeases()
  BY_DATABASE.set(database, leases)
  return leases
}

/** The store for as long as its connection is open. Errors: `CLOSED` from then on. */
export function leasesUntilClosed(leases: LeaseStore, isClosed: () => boolean): LeaseStore {
  const use = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isClosed()) throw new TidemarkError('CLOSED', 'The connection to the source is closed.')
    return work()
  }
  return {
    acquireLease: (request) => use(() => leases.acquireLease(request)),
    renewLease: (fence, request) => use(() => leases.renewLease(fence, request)),
    releaseLease: (fence) => use(() => leases.releaseLease(fence)),
  }
}
