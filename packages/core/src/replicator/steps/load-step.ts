import type { TableLoad } from '../../dialect/target.ts'
import type { StepOptions } from '../../engine/step.ts'
import { TidemarkError } from '../../errors/tidemark-error.ts'
import type { LoadProgress, ReplicationState } from '../replication-state.ts'
import { copiedDrift } from '../copied-drift.ts'
import { driftAction } from '../schema-drift.ts'
import type { SyncSession } from '../sync-session.ts'
import { beginStep } from './begin-step.ts'
import { describeSource } from './describe-source.ts'
import { openRowFeed, type RowFeed } from './row-feed.ts'

/**
 * The initial load: one pass in key order into a staged table, committed slice by slice together with the key reached,
 * and put in place when complete. The pass stays open between slices; a new process goes on after the last key.
 */
export class LoadStep implements AsyncDisposable {
  readonly #session: SyncSession
  #feed: RowFeed | undefined
  #load: TableLoad | undefined

  constructor(session: SyncSession) {
    this.#session = session
  }

  async run(options: StepOptions): Promise<void> {
    const { runtime } = this.#session.context
    const progress = this.#progress()
    this.#session.estimatedRows ??= progress.estimatedRows
    if (!await this.#isPastGrace(progress, options)) return
    const load = this.#load ??= await this.#openLoad(progress, options.signal)
    const feed = this.#feed ??= await this.#openFeed(progress, options.signal)
    const { rows, bytes, ms } = options.budget
    const endMs = runtime.now() + ms
    const isFull = (): boolean => load.pendingRows >= rows || load.pendingBytes >= bytes || runtime.now() >= endMs
    const isComplete = await feed.pour(load, isFull)
    await this.#commit(load, feed)
    if (isComplete) await this.#finish(options.signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const [feed, load] = [this.#feed, this.#load]
    this.#feed = undefined
    this.#load = undefined
    await feed?.[Symbol.asyncDispose]()
    await load?.[Symbol.asyncDispose]()
  }

  async #commit(load: TableLoad, feed: RowFeed): Promise<void> {
    const session = this.#session
    const progress = this.#progress()
    const rows = load.pendingRows
    const next: LoadProgress = {
      ...progress, after: feed.last, rows: progress.rows + rows, isSettled: progress.isSettled && feed.isSettled,
    }
    const state = { ...session.state, load: next }
    await load.commit(session.commitOf(state))
    session.state = state
    session.rowsRead += rows
    session.rowsChanged += rows
    session.progress('load', next.rows)
  }

  /**
   * A load may have gone on after hours, under names that had changed their places: what is staged would be under the wrong ones,
   * and no later look could tell. Added columns are filled once the copy is live.
   */
  async #finish(signal: AbortSignal): Promise<void> {
    const session = this.#session
    const { source, replication } = session.context
    await this[Symbol.asyncDispose]()
    const { drift } = copiedDrift(replication, session.schema, await describeSource(source, replication, { signal }))
    if (driftAction(drift, 'rebuild') === 'rebuild') return beginStep(session, signal)
    await this.#publish()
  }

  async #publish(): Promise<void> {
    const session = this.#session
    const state = publishedState(session.state, { load: this.#progress(), atMs: session.context.runtime.now() })
    await session.context.target.publishLoad(session.targetTable, session.commitOf(state))
    session.state = state
  }

  /** A mark only counts once it has passed the grace; a load that began sooner would have to be read twice. Waits no longer than the slice. */
  async #isPastGrace(progress: LoadProgress, { budget, signal }: StepOptions): Promise<boolean> {
    const { runtime, replication } = this.#session.context
    if (this.#feed !== undefined || progress.start === undefined) return true
    const waitMs = progress.start.readAtMs + replication.settleGraceMs - runtime.now()
    if (waitMs > 0) await runtime.sleep(Math.min(waitMs, budget.ms), signal)
    return waitMs <= budget.ms
  }

  #openLoad(progress: LoadProgress, signal: AbortSignal): Promise<TableLoad> {
    const { target, fence } = this.#session.context
    return target.openLoad(this.#session.targetTable, { resume: progress.after !== undefined, fence, signal })
  }

  #openFeed(progress: LoadProgress, signal: AbortSignal): Promise<RowFeed> {
    const { context, sourceTable, columns, key, pageSize } = this.#session
    return openRowFeed(context.source, { table: sourceTable, columns, key, after: progress.after, start: progress.start, pageSize, signal })
  }

  #progress(): LoadProgress {
    const { load } = this.#session.state
    if (load === undefined) throw new TidemarkError('INTERNAL', 'A load step ran without a load.')
    return load
  }
}

/** A load that ran beside old writers owes a second reading: they may have committed behind it. */
function publishedState(state: ReplicationState, end: { readonly load: LoadProgress; readonly atMs: number }): ReplicationState {
  const { load, atMs } = end
  const reread = load.isSettled ? undefined : { reason: 'late-commits', after: undefined, mark: load.start } as const
  return { ...state, phase: 'live', load: undefined, reread, reconciledAtMs: atMs }
}
