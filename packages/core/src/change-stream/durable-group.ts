import { decodeCheckpoint } from '../change/change-checkpoint.ts'
import type { LogPosition } from '../change/log-position.ts'
import type { ChangeConnection } from '../dialect/change-source.ts'
import { HeldLease } from '../engine/held-lease.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import { comparePositions } from '../feed/compare-positions.ts'
import { checkpointPrefix, subscriberOf } from './checkpoint-keeper.ts'
import { persist, type StreamContext } from './stream-context.ts'

export interface DurableGroupOptions {
  readonly context: StreamContext
  readonly source: string
  readonly connection: ChangeConnection
  readonly signal: AbortSignal
}

/**
 * The durable subscribers of one source: the lease under which they work, and how much of the log they need.
 *
 * Subscribers that have a checkpoint but are not at work just now count too: otherwise the first one to come back after a restart
 * would let the log be purged that the second still needs.
 */
export class DurableGroup {
  readonly #options: DurableGroupOptions
  /** Saved positions, of those at work and of those that are not. */
  readonly #saved = new Map<string, LogPosition>()
  readonly #members = new Set<string>()
  #lease: Promise<HeldLease> | undefined
  #retained: LogPosition | undefined
  /** Subscribers that are about to say where they stand. */
  #joining = 0

  constructor(options: DurableGroupOptions) {
    this.#options = options
  }

  /** Subscribers with a checkpoint, at work or not. */
  get known(): ReadonlyMap<string, LogPosition> {
    return this.#saved
  }

  /** Takes the lease with the first. Errors: `LEASE_HELD`. Nothing is retained until `joined` or `leave`. */
  async join(id: string): Promise<void> {
    this.#members.add(id)
    this.#joining += 1
    this.#lease ??= this.#acquire()
    try {
      await this.#lease
    } catch (error) {
      this.#lease = undefined
      throw error
    }
  }

  /** The subscriber's checkpoint is saved, or its consumer's own. */
  async joined(id: string, position: LogPosition): Promise<void> {
    this.#joining -= 1
    this.saved(id, position)
    const { context, source, signal } = this.#options
    await persist(context, { source, subscriber: id, signal }, () => this.retain())
  }

  /** Every change up to here is safe with the subscriber. */
  saved(id: string, position: LogPosition): void {
    this.#saved.set(id, position)
  }

  /** Gives up the lease with the last. */
  async leave(id: string, options: { readonly hasJoined: boolean }): Promise<void> {
    if (!this.#members.delete(id)) return
    if (!options.hasJoined) this.#joining -= 1
    if (this.#members.size > 0) return
    const lease = this.#lease
    await this.#retain([id]).catch(() => undefined) // kept too long is no harm
    if (this.#members.size > 0 || lease === undefined) return
    this.#lease = undefined
    this.#retained = undefined
    await (await lease.catch(() => undefined))?.[Symbol.asyncDispose]().catch(() => undefined) // it runs out by itself
  }

  /** The subscriber's checkpoint is deleted. */
  forget(id: string): void {
    this.#saved.delete(id)
  }

  /** Errors: `LEASE_LOST`. */
  async renew(): Promise<void> {
    await (await this.#lease)?.renew()
  }

  /** Lets the log be purged below what every subscriber has saved. Errors: `LEASE_LOST`. Tells whether it moved. */
  retain(): Promise<boolean> {
    return this.#retain(this.#members)
  }

  /** `ids`: those whose log it is, also of one that is just leaving. */
  async #retain(ids: Iterable<string>): Promise<boolean> {
    const lease = await this.#lease
    const position = this.#lowest(ids)
    if (lease === undefined || position === undefined || this.#joining > 0) return false
    if (this.#retained !== undefined && comparePositions(position, this.#retained) === 0) return false
    const { connection, context } = this.#options
    await connection.retain({ consumer: context.settings.name, position, fence: lease.fence })
    this.#retained = position
    return true
  }

  /** Forgets everything that is kept for this stream. Errors: `LEASE_HELD` while another process serves it. */
  async destroy(): Promise<void> {
    const { connection, context, source } = this.#options
    await this.join('')
    try {
      await connection.release(context.settings.name)
      const keys = await context.checkpoints?.list(checkpointPrefix({ stream: context.settings.name, source }))
      for (const key of keys ?? []) await context.checkpoints?.delete(key)
      this.#saved.clear()
    } finally {
      await this.leave('', { hasJoined: false })
    }
  }

  async #acquire(): Promise<HeldLease> {
    const { context, connection, source, signal } = this.#options
    const { name, instance, leaseTtlMs } = context.settings
    // With the source's name: two sources over one log would otherwise take the lease from each other as one worker that restarts does.
    const options = { lease: `stream/${name}`, holder: `${instance}/${source}`, ttlMs: leaseTtlMs }
    const lease = await persist(context, { source, signal }, () => HeldLease.acquire(connection.leases, context.runtime, options))
    try {
      // Under the lease, so that nobody moves them meanwhile.
      await persist(context, { source, signal }, () => this.#loadSaved())
      return lease
    } catch (error) {
      await lease[Symbol.asyncDispose]()
      throw error
    }
  }

  async #loadSaved(): Promise<void> {
    const { context: { checkpoints, settings }, source } = this.#options
    const prefix = checkpointPrefix({ stream: settings.name, source })
    for (const key of await checkpoints?.list(prefix) ?? []) {
      const stored = await checkpoints?.get(key)
      const position = stored === undefined ? undefined : positionOf(stored.value)
      if (position !== undefined) this.saved(subscriberOf(key, prefix), position)
    }
  }

  /** Positions of another epoch are gaps already: nothing can be kept for them. */
  #lowest(ids: Iterable<string>): LogPosition | undefined {
    const { epoch } = [...ids].map((id) => this.#saved.get(id)).find((position) => position !== undefined) ?? {}
    let lowest: LogPosition | undefined
    for (const position of this.#saved.values()) {
      if (position.epoch === epoch && (lowest === undefined || comparePositions(position, lowest) === -1)) lowest = position
    }
    return lowest
  }
}

/** Of a checkpoint that can't be read nothing is known here; its subscriber is told when it comes. */
function positionOf(text: string): LogPosition | undefined {
  try {
    return decodeCheckpoint(text).position
  } catch (error) {
    if (error instanceof TidemarkError) return undefined
    throw error
  }
}
