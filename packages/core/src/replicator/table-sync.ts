import type { Cursor } from '../dialect/cursor.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import type { StepOptions, Steppable } from '../engine/step.ts'
import { nextStep, type RunProgress, type StepKind } from './next-step.ts'
import { beginStep } from './steps/begin-step.ts'
import { describeSource } from './steps/describe-source.ts'
import { followSchemaStep } from './steps/follow-schema-step.ts'
import { LoadStep } from './steps/load-step.ts'
import { nullRowsStep } from './steps/null-rows-step.ts'
import { pollStep } from './steps/poll-step.ts'
import { rereadStep } from './steps/reread-step.ts'
import { sweepStep } from './steps/sweep-step.ts'
import type { SyncSession } from './sync-session.ts'

export interface TableSyncOptions {
  /** Time this run may spend on reconciling; `Infinity` when asked for by the user. */
  readonly reconcileBudgetMs: number
  /** Where an earlier part of this run stopped, from the state that is stored now. */
  readonly progress?: SyncProgress | undefined
}

/** What a run has done and its state does not remember, for a run in parts. */
export interface SyncProgress {
  readonly run: RunProgress
  readonly nullAfter: Cursor | undefined
  readonly reconcileMs: number
  readonly hasCheckedSchema: boolean
}

const DRIFT_SYMPTOMS: ReadonlySet<string> = new Set(['COLUMN_UNKNOWN', 'SOURCE_FAILED'])

/** One sync of one table, as steps. What comes next is decided by `nextStep` from the state and this run's progress. */
export class TableSync implements Steppable, AsyncDisposable {
  readonly #session: SyncSession
  readonly #load: LoadStep
  readonly #reconcileBudgetMs: number
  #run: RunProgress
  #nullAfter: Cursor | undefined
  #reconcileMs: number
  #hasCheckedSchema: boolean
  #hasFollowedError = false

  constructor(session: SyncSession, options: TableSyncOptions) {
    const { replication } = session.context
    const { progress, reconcileBudgetMs } = options
    this.#session = session
    this.#load = new LoadStep(session)
    this.#reconcileBudgetMs = reconcileBudgetMs
    this.#hasCheckedSchema = progress?.hasCheckedSchema ?? replication.source.capabilities.reportsSchemaVersion
    this.#nullAfter = progress?.nullAfter
    this.#reconcileMs = progress?.reconcileMs ?? 0
    this.#run = progress?.run ?? {
      mode: replication.mode, hasLoaded: false, hasPolled: false, wantsNullRows: false, mayReconcile: reconcileBudgetMs > 0, rereadIsBlocked: false,
    }
  }

  get progress(): SyncProgress {
    return { run: this.#run, nullAfter: this.#nullAfter, reconcileMs: this.#reconcileMs, hasCheckedSchema: this.#hasCheckedSchema }
  }

  async step(options: StepOptions): Promise<{ readonly done: boolean }> {
    const kind = this.#next
    try {
      await this.#do(kind, options)
    } catch (error) {
      // The pass may have ended in the middle of a chunk; the next try begins after the last commit.
      await this.#load[Symbol.asyncDispose]()
      if (!this.#isDriftSymptom(error, kind)) throw error
      this.#hasFollowedError = true
      if (error.code !== 'COLUMN_UNKNOWN' && !await this.#hasDrifted(options.signal)) throw error
      await this.#followError(kind, options.signal)
    }
    return { done: this.#next === 'done' }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#load[Symbol.asyncDispose]()
  }

  get #next(): StepKind {
    return nextStep(this.#session.state, this.#run)
  }

  #do(kind: StepKind, options: StepOptions): Promise<void> {
    switch (kind) {
      case 'begin':
        return this.#begin(options.signal)
      case 'load':
        return this.#loadSlice(options)
      case 'poll':
        return this.#poll(options.signal)
      case 'null-rows':
        return this.#nullRows(options.signal)
      case 'reread':
        return this.#timed(() => this.#reread(options.signal))
      case 'sweep':
        return this.#timed(() => sweepStep(this.#session, options.signal))
      case 'done':
        return Promise.resolve()
      default:
        kind satisfies never
        return Promise.resolve()
    }
  }

  async #begin(signal: AbortSignal): Promise<void> {
    await beginStep(this.#session, signal)
    this.#run = { ...this.#run, hasLoaded: true }
  }

  async #loadSlice(options: StepOptions): Promise<void> {
    // A full reload that an earlier run began counts as this run's.
    this.#run = { ...this.#run, hasLoaded: true }
    await this.#load.run(options)
  }

  async #poll(signal: AbortSignal): Promise<void> {
    if (!this.#hasCheckedSchema) {
      await followSchemaStep(this.#session, signal)
      this.#hasCheckedSchema = true
      // On with it unless the copy is made anew: a step that only looks would be all that a short slice ever does.
      if (this.#next !== 'poll') return
    }
    const outcome = await pollStep(this.#session, signal)
    if (outcome.hasDrifted) return followSchemaStep(this.#session, signal)
    const wantsNullRows = outcome.hasNullTracking && this.#session.context.replication.nullTracking === 'include'
    this.#run = { ...this.#run, hasPolled: outcome.isComplete, wantsNullRows }
  }

  async #nullRows(signal: AbortSignal): Promise<void> {
    const { after, isLast } = await nullRowsStep(this.#session, this.#nullAfter, signal)
    this.#nullAfter = after
    this.#run = { ...this.#run, wantsNullRows: !isLast }
  }

  async #reread(signal: AbortSignal): Promise<void> {
    const outcome = await rereadStep(this.#session, signal)
    if (outcome === 'blocked') this.#run = { ...this.#run, rereadIsBlocked: true }
    if (outcome === 'drifted') await followSchemaStep(this.#session, signal)
  }

  /** Reconciling has a budget per run; it goes on where it stopped with the next. */
  async #timed(work: () => Promise<void>): Promise<void> {
    const { runtime } = this.#session.context
    const startMs = runtime.now()
    await work()
    this.#reconcileMs += runtime.now() - startMs
    if (this.#reconcileMs >= this.#reconcileBudgetMs) this.#run = { ...this.#run, mayReconcile: false }
  }

  /**
   * A change shows as an error before it shows as another schema version: a column that vanished, or a cursor that can't be
   * compared with the tracking column's new type.
   */
  #isDriftSymptom(error: unknown, kind: StepKind): error is TidemarkError {
    const isSymptom = error instanceof TidemarkError && DRIFT_SYMPTOMS.has(error.code)
    return isSymptom && !this.#hasFollowedError && kind !== 'begin' && kind !== 'done'
  }

  async #hasDrifted(signal: AbortSignal): Promise<boolean> {
    const { source, replication } = this.#session.context
    const { version } = await describeSource(source, replication, { signal })
    return version !== this.#session.schema.version
  }

  async #followError(kind: StepKind, signal: AbortSignal): Promise<void> {
    if (kind === 'load') return beginStep(this.#session, signal)
    await followSchemaStep(this.#session, signal)
  }
}
