import type { CheckpointState } from '../change/change-checkpoint.ts'
import type { LogMessage } from '../change/log-message.ts'
import type { ChangeLag } from '../dialect/change-source.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import type { FeedCursor } from '../feed/feed-cursor.ts'
import { tableNames } from '../feed/snapshot-progress.ts'
import type { Amount } from '../feed/slice-ring.ts'
import { abortable } from '../util/abortable.ts'
import { BatchReader } from './batch-reader.ts'
import { checkpointKey, CheckpointKeeper } from './checkpoint-keeper.ts'
import { budgetOf } from './change-stream-settings.ts'
import type { ChangeSelection, LiveBudget, MessageChoice } from './change-stream-options.ts'
import type { OpenSource, SourceRunner } from './source-runner.ts'
import { addedTo, chooseCheckpoint, narrowedTo, resolveTables, startingPoint } from './starting-point.ts'
import { persist, type StreamContext } from './stream-context.ts'
import { Subscriber } from './subscriber.ts'

export interface AttachRequest {
  readonly id: string
  readonly isDurable: boolean
  readonly selection: ChangeSelection & LiveBudget & MessageChoice<LogMessage>
  /** Called when the subscriber has ended, or never began. */
  readonly onGone: () => void
}

/** Brings one subscriber to its place in a source's log. Once it resolves, no change from that place on is missed. */
export async function attach(runner: SourceRunner, context: StreamContext, request: AttachRequest): Promise<Subscriber> {
  try {
    const open = await runner.open(request.selection.signal)
    return await new Attachment({ runner, context, request, open }).attach()
  } catch (error) {
    request.onGone()
    throw error
  }
}

interface AttachmentOptions {
  readonly runner: SourceRunner
  readonly context: StreamContext
  readonly request: AttachRequest
  readonly open: OpenSource
}

class Attachment {
  readonly #options: AttachmentOptions
  readonly #keeper: CheckpointKeeper | undefined
  readonly #controller = new AbortController()
  #hasJoined = false

  constructor(options: AttachmentOptions) {
    this.#options = options
    const { context, request: { id, isDurable }, open: { signal }, runner: { source } } = options
    const store = isDurable ? context.checkpoints : undefined
    this.#keeper = store === undefined ? undefined : new CheckpointKeeper({
      store,
      key: checkpointKey({ stream: context.settings.name, source: source.name, subscriber: id }),
      persist: (work) => persist(context, { source: source.name, subscriber: id, signal }, work),
    })
  }

  async attach(): Promise<Subscriber> {
    const { open: { group }, request: { id, isDurable } } = this.#options
    try {
      const tables = await this.#tables()
      // Under the lease, so that the checkpoint which is loaded is the last one.
      if (isDurable) await group.join(id)
      const start = await this.#withAdded(await this.#start(), tables)
      const cursor = await this.#cursor(start)
      const subscriber = this.#subscriber(start, { cursor, tables })
      await this.#begin(subscriber, start)
      return subscriber
    } catch (error) {
      if (isDurable) await group.leave(id, { hasJoined: this.#hasJoined })
      throw error
    }
  }

  async #tables(): Promise<readonly string[] | undefined> {
    const { request: { selection } } = this.#options
    if (selection.tables === undefined) return undefined
    const tables = await this.#retrying(() => this.#options.open.connection.tables({ signal: selection.signal }))
    return resolveTables(selection.tables, tables)
  }

  async #start(): Promise<CheckpointState> {
    const { request: { selection }, runner: { source } } = this.#options
    if (selection.messages !== undefined && !source.capabilities.messages) {
      throw new TidemarkError('NOT_SUPPORTED', `The source "${source.name}" gives no messages.`, { remedy: 'Make the source with the option `messages`, where it has it, or leave that out.' })
    }
    const stored = await this.#keeper?.load()
    const checkpoint = chooseCheckpoint(selection, stored)
    const start = await this.#retrying(() => this.#startingPoint(checkpoint))
    if (start.snapshot !== null && !this.#options.runner.source.capabilities.snapshots) {
      throw new TidemarkError('NOT_SUPPORTED', `The source "${start.source}" can't read snapshots.`, { remedy: 'Subscribe with `snapshot: \'none\'`.' })
    }
    return start
  }

  /** Rows of tables that the checkpoint's snapshot did not read, since they were not captured or not asked for then, come first. */
  async #withAdded(start: CheckpointState, tables: readonly string[] | undefined): Promise<CheckpointState> {
    const { open: { connection }, request: { selection } } = this.#options
    if (start.snapshot === null && start.read === undefined) return start
    const wanted = tables ?? tableNames(await this.#retrying(() => connection.tables({ signal: selection.signal })))
    const narrowed = narrowedTo(start, wanted)
    return this.#snapshot === 'none' ? narrowed : addedTo(narrowed, wanted)
  }

  get #snapshot(): 'initial' | 'none' {
    const { context: { settings }, request: { selection }, runner: { source } } = this.#options
    return selection.snapshot ?? settings.snapshot ?? source.defaults?.snapshot ?? 'none'
  }

  get #onGap(): 'fail' | 'resnapshot' {
    const { context: { settings }, runner: { source } } = this.#options
    return settings.onGap ?? source.defaults?.onGap ?? 'fail'
  }

  #startingPoint(checkpoint: CheckpointState | undefined): Promise<CheckpointState> {
    const { context: { emitter }, open, request: { id }, runner: { source } } = this.#options
    return startingPoint(checkpoint, {
      source: source.name,
      connection: open.connection,
      signal: open.signal,
      snapshot: this.#snapshot,
      onGap: this.#onGap,
      onGapFound: (error) => emitter.emit('gap', { source: source.name, subscriber: id, error: error.toJSON(), action: this.#onGap }),
    })
  }

  async #cursor({ position }: CheckpointState): Promise<FeedCursor> {
    const { open: { connection, feed, signal }, request: { isDurable } } = this.#options
    // Only the budget of a live subscriber needs it; one that is not known is taken for the best.
    const lag = isDurable ? undefined : await connection.lag(position, { signal }).catch(() => undefined)
    return feed.cursor({ after: position, holds: isDurable, behind: amountOf(lag) })
  }

  #subscriber(start: CheckpointState, { cursor, tables }: { readonly cursor: FeedCursor; readonly tables: readonly string[] | undefined }): Subscriber {
    const { context, open, request: { id, isDurable, selection }, runner: { source } } = this.#options
    const reader = new BatchReader({
      cursor, tables,
      feed: open.feed,
      connection: open.connection,
      filters: context.filters,
      source: source.name,
      ops: selection.ops,
      messages: selection.messages,
      limit: context.settings.batch,
      progress: start.snapshot,
      read: start.read,
      // A snapshot that is begun anew misses nothing.
      announces: selection.from === null && start.snapshot === null,
      onSnapshot: (notice) => {
        context.emitter.emit('snapshot', { source: source.name, subscriber: id, ...notice })
        subscriber.begin()
      },
    })
    const subscriber: Subscriber = new Subscriber({
      context, id, isDurable, reader, cursor,
      source: source.name,
      keepsOwn: selection.from !== undefined,
      controller: this.#controller,
      budget: isDurable ? { bytes: context.settings.bufferBytes, events: Infinity, graceMs: Infinity } : budgetOf(selection),
      onGap: source.capabilities.snapshots ? this.#onGap : 'fail',
      head: () => open.feed.retrying(this.#controller.signal, () => open.connection.head({ signal: this.#controller.signal })),
      save: (state) => this.#save(state),
      onEnd: () => this.#end(subscriber),
    })
    return subscriber
  }

  async #begin(subscriber: Subscriber, start: CheckpointState): Promise<void> {
    const { open: { group }, request: { id, isDurable }, runner } = this.#options
    runner.add(subscriber)
    if (!isDurable) return
    try {
      await this.#keeper?.save(start)
      this.#hasJoined = true
      await group.joined(id, start.position)
    } catch (error) {
      await subscriber.end()
      throw error
    }
  }

  async #save(state: CheckpointState): Promise<void> {
    const { open: { group }, request: { id, isDurable } } = this.#options
    if (!isDurable) return
    await this.#keeper?.save(state)
    group.saved(id, state.position)
  }

  async #end(subscriber: Subscriber): Promise<void> {
    const { open: { group }, request: { id, isDurable, onGone }, runner } = this.#options
    runner.remove(subscriber)
    onGone()
    if (isDurable) await group.leave(id, { hasJoined: this.#hasJoined })
  }

  #retrying<T>(work: () => Promise<T>): Promise<T> {
    const { open: { feed, signal }, request: { selection } } = this.#options
    return feed.retrying(signal, () => abortable(work(), selection.signal))
  }
}

function amountOf(lag: ChangeLag | undefined): Amount {
  return { bytes: lag?.bytes ?? 0, events: lag?.events ?? 0 }
}
