import type { AbortOptions } from '../dialect/source.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import type { Unsubscribe } from '../events/emitter.ts'
import { makeSecret, type Secret } from '../util/secret.ts'
import { createExport } from './create-export.ts'
import { openDownload, type Download, type DownloadOptions } from './download.ts'
import { openToken, signDownload } from './download-token.ts'
import type { ExportContext } from './export-context.ts'
import type { ExportEvents } from './export-events.ts'
import type { ExportRequest } from './export-request.ts'
import type { ExportState } from './export-state.ts'
import { mainKey, nextAtMs, toExportStatus, type ExportStatus } from './export-status.ts'
import type { Worker } from './export-store.ts'
import { exporterContext } from './exporter-context.ts'
import type { ExporterOptions } from './exporter-options.ts'
import { failureOf } from './failure-of.ts'
import { isEnded } from './is-ended.ts'
import { isSettled } from './is-settled.ts'
import { stepExport } from './step-export.ts'
import { deleteExport, sweepExports, type SweepOptions, type SweepReport } from './sweep-exports.ts'
import { verifyDump, type VerifyOptions } from './verify/verify-dump.ts'
import type { VerifyReport } from './verify/verify-report.ts'
import { ViewPool } from './view-pool.ts'

export interface ExportStep {
  /** Whether nothing is left to do. */
  readonly done: boolean
  /** When the next step is due, in milliseconds since 1970; `undefined` when done. */
  readonly nextAtMs: number | undefined
  readonly status: ExportStatus
}

export interface StepOptions extends AbortOptions {
  /** Instead of the budget of the request, where the host has less to give. */
  readonly budget?: { readonly ms?: number | undefined; readonly bytes?: number | undefined } | undefined
}

export interface SignedUrlOptions extends AbortOptions {
  /** Default one hour. */
  readonly expiresInMs?: number | undefined
  /** An object of the dump, as its manifest has it. Default: the dump itself, or its manifest. */
  readonly path?: string | undefined
}

export interface ExportListOptions {
  /** At most so many. Default: all. */
  readonly limit?: number | undefined
  /** Only those that are older than the export of this id, for the next page; it may be gone. */
  readonly before?: string | undefined
}

export interface StartOptions {
  /** Names this request, so that it can be sent again when its answer was lost: any text of its sender. */
  readonly idempotencyKey?: string | undefined
}

export interface ExportAndWaitOptions extends AbortOptions, StartOptions {
  /** Default 20,000, which stays below the 30 seconds that hosts give a request. */
  readonly waitMs?: number | undefined
}

export interface FinishOptions extends AbortOptions {
  /**
   * Where another process is at it, wait until that has ended it, or until its lease has run out, and go on then: a process that was killed holds its lease for as long as
   * that. Default `false`: `LEASE_HELD`.
   */
  readonly takesOver?: boolean | undefined
}

export interface ExportAnswer {
  readonly status: ExportStatus
  /** The dump itself, or its manifest; `undefined` when it was not complete in time. */
  readonly download: Download | undefined
}

const HOUR_MS = 3_600_000

/** Another process is at the job. */
const HELD: ReadonlySet<string> = new Set(['LEASE_LOST', 'LEASE_HELD'])
/** The same, or it has deleted it: what this one has open for it is of no use any more. */
const ELSEWHERE: ReadonlySet<string> = new Set([...HELD, 'EXPORT_UNKNOWN'])
/** At least, where a lease is just being given back. */
const LOOK_AGAIN_MS = 100
const DEFAULT_WAIT_MS = 20_000

/**
 * Exports of one database to one storage: exact, resumable at any kill, and nothing under its name before all of it is there.
 *
 * A job lives in the state store; `step` does the next slice of it, wherever it is called from. `run` calls it until the export has ended.
 *
 * Errors: the constructor throws `CONFIG_INVALID`. What goes wrong with an export is in its status, not thrown.
 */
export class Exporter implements AsyncDisposable {
  readonly #context: ExportContext
  readonly #pool: ViewPool
  readonly #encryption: ExporterOptions['encryption']
  readonly #worker: Worker
  /** Secrets of callbacks, of this process only. */
  readonly #secrets = new Map<string, Secret>()
  /** Steps of one job one after the other. */
  readonly #turns = new Map<string, Promise<unknown>>()

  constructor(options: ExporterOptions) {
    this.#context = exporterContext(options, this.#secrets)
    this.#pool = new ViewPool(options.source)
    this.#encryption = options.encryption
    this.#worker = { owner: options.instance ?? crypto.randomUUID(), leaseTtlMs: options.leaseTtlMs ?? 30_000 }
  }

  /** Listens to one kind of event. A listener that throws breaks nothing. */
  on<Name extends keyof ExportEvents>(event: Name, listener: (payload: ExportEvents[Name]) => unknown): Unsubscribe {
    return this.#context.emitter.on(event, listener)
  }

  /**
   * Notes the job; nothing is read before its first step. With an idempotency key that came before, it is the job of that time, as long as it is there and for a day.
   * Errors: `CONFIG_INVALID` with every fault found, `CALLBACK_REFUSED`, `SECRET_MISSING`, `IDEMPOTENCY_KEY_REUSED`.
   */
  async start(request: ExportRequest = {}, { idempotencyKey }: StartOptions = {}): Promise<{ readonly id: string }> {
    const id = await createExport(this.#context, request, idempotencyKey)
    const secret = request.callback?.secret
    if (secret !== undefined) this.#secrets.set(id, makeSecret(secret, 'callback.secret'))
    return { id }
  }

  /**
   * The next slice. Does nothing when none is due. Errors: `EXPORT_UNKNOWN`; `LEASE_HELD` and `LEASE_LOST` when another process is at this
   * export; `ABORTED`; the state store's own.
   */
  step(id: string, options: StepOptions = {}): Promise<ExportStep> {
    return this.#inTurn(id, () => this.#step(id, options).catch(async (error: unknown) => {
      if (error instanceof TidemarkError && ELSEWHERE.has(error.code)) await this.#pool.release(id)
      throw error
    }))
  }

  /** Steps with the pauses between them, until the export has ended; gives the status after each. A failed export ends it like any other: look at `status`. */
  async *run(id: string, { signal }: AbortOptions = {}): AsyncGenerator<ExportStatus> {
    const { runtime } = this.#context
    for (let isOver = false; !isOver;) {
      const { status, done } = await this.step(id, { signal })
      yield status
      // Further tries of a callback are hours away: they are for `stepDue`.
      isOver = done || (isEnded(status) && (status.callback?.attempts ?? 0) > 0)
      if (!isOver) await runtime.sleep(Math.max(0, (status.nextAtMs ?? 0) - runtime.now()), signal)
    }
  }

  /** Runs to the end. Errors: those of `step`, and the error of an export that failed. */
  async finish(id: string, { signal, takesOver = false }: FinishOptions = {}): Promise<ExportStatus> {
    let last: ExportStatus | undefined
    for (let isOver = false; !isOver;) {
      try {
        for await (const status of this.run(id, { signal })) last = status
        isOver = true
      } catch (error) {
        if (!takesOver || !(error instanceof TidemarkError && HELD.has(error.code))) throw error
        await this.#untilFree(id, signal)
      }
    }
    if (last?.status === 'completed') return last
    throw failureOf(last)
  }

  /** Until the lease has run out as it stands now; who is alive has extended it by then. */
  async #untilFree(id: string, signal: AbortSignal | undefined): Promise<void> {
    const { store, runtime } = this.#context
    const { lease } = (await store.read(id)).state
    await runtime.sleep(Math.max(LOOK_AGAIN_MS, (lease?.untilMs ?? 0) - runtime.now()), signal)
  }

  /**
   * Starts an export and stays with it for a while, for a request that is to be answered: with the file, when it is small, or with the status to come
   * back for. What is not complete in time goes on with `run`, `step` or `stepDue`. Errors: those of `start` and `step`, and the error of an export that failed.
   */
  async export(request: ExportRequest = {}, { waitMs = DEFAULT_WAIT_MS, signal, idempotencyKey }: ExportAndWaitOptions = {}): Promise<ExportAnswer> {
    const { runtime } = this.#context
    const endMs = runtime.now() + waitMs
    const { id } = await this.start(request, { idempotencyKey })
    const budgetMs = request.budget?.ms ?? waitMs
    for (let leftMs = waitMs; leftMs > 0; leftMs = endMs - runtime.now()) {
      const { status, nextAtMs: dueMs = 0 } = await this.step(id, { budget: { ms: Math.min(budgetMs, leftMs) }, signal }).catch((error: unknown) => unlessElsewhere(error, idempotencyKey))
      if (status === undefined) break
      if (status.status === 'completed') return { status, download: await this.download(id, { signal }) }
      if (isEnded(status)) throw failureOf(status)
      if (dueMs >= endMs) break
      await runtime.sleep(Math.max(0, dueMs - runtime.now()), signal)
    }
    return { status: await this.status(id), download: undefined }
  }

  /**
   * One step of every job that is due. For an alarm or a cron trigger that serves all of them: call it again at `nextAtMs`, which is the earliest of all.
   * A job that another process is at, or that can't be read, holds up none of the others.
   */
  async stepDue(options: StepOptions = {}): Promise<{ readonly nextAtMs: number | undefined }> {
    const { runtime, store } = this.#context
    const times: number[] = []
    const { ids: open } = this.#pool
    const ids = await store.list()
    for (const id of ids) {
      const next = await this.#stepIfDue(id, options).catch((error: unknown) => this.#later(error, runtime.now()))
      if (next !== undefined) times.push(next)
    }
    for (const id of open.filter((one) => !ids.includes(one))) await this.#inTurn(id, () => this.#pool.release(id))
    return { nextAtMs: times.length === 0 ? undefined : Math.min(...times) }
  }

  async status(id: string): Promise<ExportStatus> {
    return toExportStatus((await this.#context.store.read(id)).state)
  }

  /** Newest first. Reads the jobs that it gives, and no others. */
  async list({ limit, before }: ExportListOptions = {}): Promise<readonly ExportStatus[]> {
    const ids = (await this.#context.store.list()).filter((id) => before === undefined || id < before).toSorted().toReversed()
    const found = await Promise.all(ids.slice(0, limit).map((id) => this.status(id).catch(unlessUnknown)))
    return found.filter((status) => status !== undefined)
  }

  /** Ends an export that has not ended; what it wrote is removed. One that has ended stays as it is. */
  async cancel(id: string, options: AbortOptions = {}): Promise<ExportStatus> {
    const { store, emitter } = this.#context
    const { state, version } = await store.read(id)
    if (!isEnded(state)) {
      // Over the head of whoever is at it: their next save fails, and they stop.
      await store.replace({ state: { ...state, status: 'cancelled', isCleanupDue: true, lease: undefined, nextAtMs: 0, failures: 0 }, version })
      emitter.emit('export:status', { id, status: 'cancelled', error: undefined })
    }
    return (await this.step(id, options)).status
  }

  /** The dump, or an object of it, as it is stored: what is compressed or encrypted stays so. Errors: `EXPORT_UNKNOWN`, `EXPORT_NOT_READY`, `OBJECT_UNKNOWN`, `STORAGE_*`. */
  async download(id: string, options: DownloadOptions = {}): Promise<Download> {
    return openDownload(this.#context, await this.#completed(id), options)
  }

  /** A URL that needs no credentials. Errors: `NOT_SUPPORTED` where the storage can't sign: use `downloadToken` then. */
  async signedUrl(id: string, { expiresInMs = HOUR_MS, path, signal }: SignedUrlOptions = {}): Promise<string> {
    const state = await this.#completed(id)
    const { storage } = this.#context
    if (storage.presignGet === undefined) {
      throw new TidemarkError('NOT_SUPPORTED', 'This storage can not sign a URL.', { remedy: 'Use downloadToken(id), and serve download(id) to who brings it.' })
    }
    const key = path === undefined ? mainKey(state) : `${id}/${path}`
    return storage.presignGet(key, { expiresInMs, fileName: key.slice(key.lastIndexOf('/') + 1), signal })
  }

  /** What `downloadByToken` takes, for who may read the dump and can't be given credentials. Errors: `SECRET_MISSING` without `downloadSecret`. */
  async downloadToken(id: string, { expiresInMs = HOUR_MS, path }: Omit<SignedUrlOptions, 'signal'> = {}): Promise<string> {
    await this.#completed(id)
    return signDownload({ id, path, expiresAtMs: this.#context.runtime.now() + expiresInMs }, await this.#context.downloadSecret.reveal())
  }

  /** Errors: `DOWNLOAD_REFUSED`, and those of `download`. */
  async downloadByToken(token: string, { range, signal }: Pick<DownloadOptions, 'range' | 'signal'> = {}): Promise<Download> {
    const secret = await this.#context.downloadSecret.reveal()
    const { id, path } = await openToken(token, { secret, nowMs: this.#context.runtime.now() })
    return this.download(id, { path, range, signal })
  }

  /** Looks whether the dump is still what it was. Errors: as `verifyDump`, and `EXPORT_NOT_READY`. */
  async verify(id: string, options: VerifyOptions = {}): Promise<VerifyReport> {
    await this.#completed(id)
    const { storage, runtime, formats, compressions } = this.#context
    return verifyDump({ ...options, storage, id, runtime, formats, compressions, encryption: this.#encryption })
  }

  /** Deletes what an ended export wrote, and forgets it. Errors: `EXPORT_NOT_READY` for one that has not ended: cancel it first. */
  async delete(id: string, { signal = new AbortController().signal }: AbortOptions = {}): Promise<void> {
    const { status } = await this.step(id, { signal })
    if (!isEnded(status)) throw new TidemarkError('EXPORT_NOT_READY', 'The export has not ended.', { remedy: 'Cancel it first.' })
    await deleteExport(this.#context, (await this.#context.store.read(id)).state, signal)
  }

  /** Deletes exports whose `ttlMs` is over, and what kills have left behind. For once in a while: a cron trigger, a timer. */
  sweep(options: SweepOptions = {}): Promise<SweepReport> {
    return sweepExports(this.#context, options)
  }

  /** Closes what is open. Jobs stay, and go on with the next process that steps them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#turns.values())
    await this.#pool[Symbol.asyncDispose]()
  }

  #inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(id) ?? Promise.resolve()).then(work)
    const settled = turn.catch(() => undefined).then(() => {
      if (this.#turns.get(id) === settled) this.#turns.delete(id)
    })
    this.#turns.set(id, settled)
    return turn
  }

  async #step(id: string, { budget, signal = new AbortController().signal }: StepOptions): Promise<ExportStep> {
    const { store, runtime } = this.#context
    const { state: before } = await store.read(id)
    // Another process may have ended it and cleaned up.
    if (isEnded(before) && !before.isCleanupDue) await this.#pool.release(id)
    if (isSettled(before) || nextAtMs(before) > runtime.now()) return toStep(before)
    try {
      await using job = await store.hold(id, this.#worker)
      await stepExport({ context: this.#context, pool: this.#pool, job, budget: { ...job.state.spec.budget, ...defined(budget) }, signal })
      return toStep(job.state)
    } catch (error) {
      // A job that was cancelled under our hands has simply ended.
      const { state } = error instanceof TidemarkError && error.code === 'LEASE_LOST' ? await store.read(id) : { state: before }
      if (!isEnded(state)) throw error
      await this.#pool.release(id)
      return toStep(state)
    }
  }

  async #stepIfDue(id: string, options: StepOptions): Promise<number | undefined> {
    const { state } = await this.#context.store.read(id)
    if (isSettled(state) && !this.#pool.ids.includes(id)) return undefined
    return nextAtMs(state) > this.#context.runtime.now() ? nextAtMs(state) : (await this.step(id, options)).nextAtMs
  }

  /** Looks again when the other's lease may have run out. */
  #later(error: unknown, nowMs: number): number {
    if (error instanceof TidemarkError && error.code === 'ABORTED') throw error
    this.#context.logger.warn({ code: error instanceof TidemarkError ? error.code : 'INTERNAL' }, 'An export could not be stepped.')
    return nowMs + this.#worker.leaseTtlMs
  }

  async #completed(id: string): Promise<ExportState> {
    const { state } = await this.#context.store.read(id)
    if (state.status !== 'completed') throw new TidemarkError('EXPORT_NOT_READY', `The export is ${state.status}.`)
    return state
  }
}

function toStep(state: ExportState): ExportStep {
  const status = toExportStatus(state)
  return { done: isSettled(state), nextAtMs: status.nextAtMs, status }
}

function defined(budget: StepOptions['budget']): { readonly ms?: number; readonly bytes?: number } {
  return { ...(budget?.ms === undefined ? {} : { ms: budget.ms }), ...(budget?.bytes === undefined ? {} : { bytes: budget.bytes }) }
}

/** One that was deleted while others were read. */
function unlessUnknown(error: unknown): undefined {
  if (!(error instanceof TidemarkError && error.code === 'EXPORT_UNKNOWN')) throw error
  return undefined
}

/** What was begun under the same key may be at work in another process: that is how it stands, and no fault of who asks again. */
function unlessElsewhere(error: unknown, idempotencyKey: string | undefined): Partial<ExportStep> {
  if (idempotencyKey === undefined || !(error instanceof TidemarkError && error.code === 'LEASE_HELD')) throw error
  return {}
}
