/** Proof of a held lease. A higher token has taken over from every lower one. */
export interface Fence {
  readonly lease: string
  readonly token: number
}

export interface LeaseRequest {
  readonly lease: string
  /** Who asks: unique per instance. */
  readonly holder: string
  readonly nowMs: number
  readonly ttlMs: number
}

/**
 * Leases with fencing tokens. The default is a row in the target itself, so that the token is checked in the very
 * transaction that writes: a worker that was paused past its lease writes nothing.
 */
export interface LeaseStore {
  /** The fence, or `undefined` while another holder's lease has not run out. Tokens only grow. */
  acquireLease(request: LeaseRequest): Promise<Fence | undefined>
  /** Extends; `false` when the fence is stale. */
  renewLease(fence: Fence, request: LeaseRequest): Promise<boolean>
  /** Lets others in at once. A stale fence is ignored. */
  releaseLease(fence: Fence): Promise<void>
}
