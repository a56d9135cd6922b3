import { TidemarkError, type Fence, type LeaseRequest, type LeaseStore } from '@tidemark/core/adapter'

interface Held {
  readonly holder: string
  readonly token: number
  readonly expiresAtMs: number
}

/**
 * Leases that stand on the slot: the server lets one connection read it at a time, so that whoever has it is alone in the world, and the
 * leases of one connection need no more than memory. They end with the slot's connection, when another process takes it.
 */
export class SlotLeases implements LeaseStore {
  readonly #held = new Map<string, Held>()
  /** Takes the slot, or finds that it is ours already. */
  readonly #takeSlot: () => Promise<void>
  #isClosed = false

  constructor(takeSlot: () => Promise<void>) {
    this.#takeSlot = takeSlot
  }

  async acquireLease({ lease, holder, nowMs, ttlMs }: LeaseRequest): Promise<Fence | undefined> {
    this.#requireOpen()
    if (!await this.#hasSlot()) return undefined
    const held = this.#held.get(lease)
    if (held !== undefined && held.expiresAtMs > nowMs && held.holder !== holder) return undefined
    const token = (held?.token ?? 0) + 1
    this.#held.set(lease, { holder, token, expiresAtMs: nowMs + ttlMs })
    return { lease, token }
  }

  async renewLease(fence: Fence, { holder, nowMs, ttlMs }: LeaseRequest): Promise<boolean> {
    this.#requireOpen()
    if (!this.isCurrent(fence)) return false
    this.#held.set(fence.lease, { holder, token: fence.token, expiresAtMs: nowMs + ttlMs })
    return true
  }

  async releaseLease(fence: Fence): Promise<void> {
    this.#requireOpen()
    const held = this.#held.get(fence.lease)
    // The token stays, so that the next one is higher.
    if (held?.token === fence.token) this.#held.set(fence.lease, { ...held, expiresAtMs: Number.NEGATIVE_INFINITY })
  }

  /** The slot is given up with its connection. */
  close(): void {
    this.#isClosed = true
  }

  isCurrent(fence: Fence): boolean {
    return this.#held.get(fence.lease)?.token === fence.token
  }

  /** Another process has the slot: what it has read is not ours to acknowledge any more. */
  lose(): void {
    for (const [lease, held] of this.#held) this.#held.set(lease, { ...held, token: held.token + 1, expiresAtMs: Number.NEGATIVE_INFINITY })
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new TidemarkError('CLOSED', 'The connection to the source is closed.')
  }

  async #hasSlot(): Promise<boolean> {
    try {
      await this.#takeSlot()
      return true
    } catch (error) {
      if (error instanceof TidemarkError && error.code === 'LEASE_HELD') return false
      throw error
    }
  }
}
