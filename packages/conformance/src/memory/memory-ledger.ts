import type { Fence, LeaseRequest, Ledger, ReplicationRecord, RunLogEntry, RunLogLimits, StoredReplication } from '@tidemark/core/adapter'
import type { Lifetime } from './lifetime.ts'
import { ledgerOf, type MemoryTargetStore, type StoredLedger, type StoredState } from './memory-target-store.ts'

export class MemoryLedger implements Ledger {
  readonly #store: MemoryTargetStore
  readonly #prefix: string
  readonly #lifetime: Lifetime

  constructor(store: MemoryTargetStore, prefix: string, lifetime: Lifetime) {
    this.#store = store
    this.#prefix = prefix
    this.#lifetime = lifetime
  }

  saveReplication(record: ReplicationRecord, nowMs: number): Promise<void> {
    return this.#write(({ replications }) => {
      const before = replications.get(record.name)
      const checkpoint = { state: before?.state, lastSyncAtMs: before?.lastSyncAtMs, lastSyncValue: before?.lastSyncValue }
      replications.set(record.name, { ...record, ...checkpoint, createdAtMs: before?.createdAtMs ?? nowMs })
    })
  }

  readReplication(name: string): Promise<StoredReplication | undefined> {
    return this.#write(({ replications }) => replications.get(name))
  }

  listReplications(): Promise<readonly StoredReplication[]> {
    return this.#write(({ replications }) => [...replications.values()].toSorted((left, right) => (left.name < right.name ? -1 : 1)))
  }

  removeReplication(name: string): Promise<void> {
    return this.#write(({ replications }) => void replications.delete(name))
  }

  appendRun(entry: RunLogEntry, limits: RunLogLimits): Promise<void> {
    return this.#write((ledger, draft) => {
      const kept = [...ledger.runs, entry].filter((run) => run.atMs >= entry.atMs - limits.maxAgeMs).slice(-limits.maxEntries)
      draft.ledgers.set(this.#prefix, { ...ledger, runs: kept })
    })
  }

  readRuns(query: { readonly name?: string | undefined; readonly limit: number }): Promise<readonly RunLogEntry[]> {
    return this.#write(({ runs }) => runs.filter((run) => query.name === undefined || run.name === query.name).toReversed().slice(0, query.limit))
  }

  acquireLease({ lease, holder, nowMs, ttlMs }: LeaseRequest): Promise<Fence | undefined> {
    return this.#write(({ leases }) => {
      const held = leases.get(lease)
      if (held !== undefined && held.holder !== holder && held.untilMs > nowMs) return undefined
      const token = (held?.token ?? 0) + 1
      leases.set(lease, { holder, token, untilMs: nowMs + ttlMs })
      return { lease, token }
    })
  }

  renewLease(fence: Fence, { holder, nowMs, ttlMs }: LeaseRequest): Promise<boolean> {
    return this.#write(({ leases }) => {
      if (leases.get(fence.lease)?.token !== fence.token) return false
      leases.set(fence.lease, { holder, token: fence.token, untilMs: nowMs + ttlMs })
      return true
    })
  }

  releaseLease(fence: Fence): Promise<void> {
    return this.#write(({ leases }) => {
      const held = leases.get(fence.lease)
      // The token stays: a later holder must get a greater one.
      if (held?.token === fence.token) leases.set(fence.lease, { ...held, untilMs: Number.NEGATIVE_INFINITY })
    })
  }

  async #write<T>(work: (ledger: StoredLedger, draft: StoredState) => T): Promise<T> {
    await this.#lifetime.turn()
    return this.#store.transaction((draft) => work(ledgerOf(draft, this.#prefix), draft))
  }
}
