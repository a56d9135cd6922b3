import type { ChangeConnection, LogRetention, RetentionAction } from '../dialect/change-source.ts'
import { toTidemarkError } from '../errors/to-tidemark-error.ts'
import type { TidemarkError } from '../errors/tidemark-error.ts'
import { printPosition } from '../change/log-position.ts'
import type { Feed } from '../feed/feed.ts'
import type { DurableGroup } from './durable-group.ts'
import { report, type StreamContext } from './stream-context.ts'
import type { Subscriber } from './subscriber.ts'

/** How often it looks: bounds how much later than saved the log may be purged, and how late a laggard is noticed. */
const TICK_MS = 1_000
/** Purging is also tried without a reason of our own: other streams may have let go of the log. */
const PURGE_INTERVAL_MS = 30_000
/** Between two slices of purging, so that readers and writers come in between. */
const PURGE_PAUSE_MS = 10

export interface UpkeepOptions {
  readonly context: StreamContext
  readonly source: string
  readonly connection: ChangeConnection
  readonly feed: Feed
  readonly group: DurableGroup
  readonly subscribers: () => Iterable<Subscriber>
  readonly signal: AbortSignal
  /** The durable subscribers have lost their right to work. */
  readonly onLeaseLost: (error: TidemarkError) => void
}

/** What goes on beside reading and delivering. Costs the source nothing while nothing moves. */
export class Upkeep {
  readonly #options: UpkeepOptions
  #beatAtMs: number
  #purgeAtMs: number
  #purging: Promise<void> = Promise.resolve()
  #isPurging = false
  #tending: Promise<void> | undefined
  #tendAtMs: number
  #retention: LogRetention | undefined

  constructor(options: UpkeepOptions) {
    this.#options = options
    const nowMs = options.context.runtime.now()
    this.#beatAtMs = nowMs + options.context.settings.heartbeatIntervalMs
    this.#purgeAtMs = nowMs + PURGE_INTERVAL_MS
    this.#tendAtMs = nowMs
  }

  /** What the source keeps of its log, as it was seen last. */
  get retention(): LogRetention | undefined {
    return this.#retention
  }

  /** Until the signal fires; rejects never. */
  async run(): Promise<void> {
    const { context: { runtime, settings }, signal } = this.#options
    const tickMs = Math.min(TICK_MS, settings.leaseTtlMs / 4, settings.heartbeatIntervalMs)
    while (!signal.aborted) {
      await runtime.sleep(tickMs, signal).catch(() => undefined)
      if (!signal.aborted) await this.#tick()
    }
    await Promise.all([this.#purging, this.#tending])
  }

  /** Called with each slice: a live subscriber whose changes were dropped is closed at once. */
  checkLive(): void {
    const nowMs = this.#options.context.runtime.now()
    for (const subscriber of this.#options.subscribers()) if (!subscriber.isDurable) subscriber.checkLag(nowMs)
  }

  async #tick(): Promise<void> {
    const nowMs = this.#options.context.runtime.now()
    for (const subscriber of this.#options.subscribers()) subscriber.checkLag(nowMs)
    this.#beat()
    // Not awaited: a source that is slow to answer must not cost anybody the lease.
    if (this.#tendAtMs <= nowMs) this.#tending ??= this.#tend().finally(() => { this.#tending = undefined })
    if (await this.#retain()) this.#purgeAtMs = 0
    if (this.#purgeAtMs <= this.#options.context.runtime.now() && !this.#isPurging) this.#purging = this.#purge()
  }

  async #retain(): Promise<boolean> {
    const { group, onLeaseLost, subscribers } = this.#options
    try {
      await group.renew()
      await Promise.all([...subscribers()].map((subscriber) => flush(subscriber)))
      return await group.retain()
    } catch (error) {
      const failure = toTidemarkError(error)
      if (failure.code === 'LEASE_LOST') onLeaseLost(failure)
      else this.#report(failure)
      return false
    }
  }

  async #purge(): Promise<void> {
    const { connection, context: { runtime }, signal } = this.#options
    this.#isPurging = true
    this.#purgeAtMs = runtime.now() + PURGE_INTERVAL_MS
    try {
      while (!signal.aborted && await connection.purge({ signal })) await runtime.sleep(PURGE_PAUSE_MS, signal)
    } catch (error) {
      // The next turn tries again; the log is longer until then, and nothing else is the worse for it.
      if (!signal.aborted) this.#report(toTidemarkError(error))
    } finally {
      this.#isPurging = false
    }
  }

  async #tend(): Promise<void> {
    const { connection, context: { runtime, settings }, signal } = this.#options
    this.#tendAtMs = runtime.now() + settings.heartbeatIntervalMs
    try {
      await connection.tend?.({ signal, tell: (retention, action) => this.#noteRetention(retention, action) })
    } catch (error) {
      this.#report(toTidemarkError(error))
    }
  }

  #noteRetention(retention: LogRetention, action: RetentionAction): void {
    const { context: { emitter, logger }, source } = this.#options
    const isNews = this.#retention?.health !== retention.health || action === 'drop'
    this.#retention = retention
    if (!isNews) return
    if (action !== 'none') logger.warn({ source, health: retention.health, retainedBytes: retention.retainedBytes, action }, 'The source keeps much of its log for this stream.')
    emitter.emit('retention', { ...retention, source, action })
  }

  #beat(): void {
    const { context: { emitter, runtime, settings }, feed, source } = this.#options
    if (this.#beatAtMs > runtime.now()) return
    this.#beatAtMs = runtime.now() + settings.heartbeatIntervalMs
    emitter.emit('heartbeat', { source, position: printPosition(feed.position) })
  }

  #report(error: TidemarkError): void {
    const { context, signal, source } = this.#options
    if (signal.aborted) return
    report(context, { source, subscriber: undefined, error, attempt: 1, delayMs: TICK_MS })
  }
}

/** A subscriber whose checkpoint can't be saved ends by itself; it must not keep the others from theirs. */
async function flush(subscriber: Subscriber): Promise<void> {
  if (!subscriber.isDurable || subscriber.isOver) return
  try {
    await subscriber.flush()
  } catch (error) {
    await subscriber.end(toTidemarkError(error))
  }
}
