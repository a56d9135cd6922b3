import { TidemarkError, type ImportStatus } from '@tidemark/core'
import { RequestKeys, toTidemarkError } from '@tidemark/core/adapter'
import type { HandlerSettings } from '../handler-settings.ts'
import { needed } from '../route.ts'
import { within } from '../util/within.ts'
import { ImportNotes, type ImportNote } from './import-note.ts'

/** An import as it stands, and whether this handler is at it. */
export interface ImportStanding {
  readonly note: ImportNote
  readonly isRunning: boolean
}

interface Run {
  readonly stop: AbortController
  /** Its last note, or the error that ended it. */
  readonly ended: Promise<ImportNote>
  note: ImportNote
  /** Rows of it were in the target when it was asked for. */
  readonly hasBegun: boolean
}

const UNSEEN = 'The process was killed when it was complete; what it found at the end, such as rows whose foreign key names none, was not noted.'

type JobsOptions = Pick<HandlerSettings, 'importer' | 'importState' | 'importWaitMs' | 'runsImports' | 'waitUntil'> & { readonly closing: AbortSignal }

/** Imports that were asked for. One of a dump at a time: asking again joins it, or goes on where the target says that it is. */
export class ImportJobs {
  readonly #options: JobsOptions
  readonly #notes: ImportNotes
  readonly #keys: RequestKeys
  readonly #runs = new Map<string, Run>()
  /** Asked for, and not yet looked at. */
  readonly #beginnings = new Map<string, Promise<Run | ImportNote>>()

  constructor(options: JobsOptions) {
    this.#options = options
    this.#notes = new ImportNotes(options.importState)
    this.#keys = new RequestKeys({ store: options.importState, runtime: { now: () => Date.now() }, prefix: 'http-import-key/' })
  }

  /** One import of a dump is one anyway: a key only must not be that of another. Errors: `IDEMPOTENCY_KEY_REUSED`. */
  async claim(key: string, id: string): Promise<void> {
    await this.#keys.claim({ key, id, request: id })
  }

  /**
   * Begins an import or goes on with it, and waits for its end for a while. One that is complete is told of, and nothing is loaded.
   * Errors: those of `Importer.load`.
   */
  async load(id: string, waitMs: number): Promise<ImportStanding> {
    const begun = await this.#begin(id)
    if (!('ended' in begun)) return { note: begun, isRunning: false }
    // A host that does not run it on gets one step, which is bounded by itself.
    const ended = this.#options.runsImports ? await within(begun.ended, waitMs) : await begun.ended
    return ended === 'silence' ? { note: begun.note, isRunning: true } : { note: ended, isRunning: false }
  }

  /** Errors: `NAME_UNKNOWN`. */
  async status(id: string): Promise<ImportStanding> {
    const run = this.#runs.get(id)
    if (run !== undefined) return { note: run.note, isRunning: true }
    const note = await this.#notes.get(id)
    if (note === undefined) throw new TidemarkError('NAME_UNKNOWN', 'No import of this dump is known.', { remedy: 'Ask for it with POST /import: it goes on where the target says that it is.' })
    // How it stands can be told, whether or not its target answers.
    return { note: await this.#seen(note, this.#options.closing).catch(() => note), isRunning: false }
  }

  async list(): Promise<readonly ImportStanding[]> {
    const notes = await this.#notes.list()
    return notes.map((note) => ({ note: this.#runs.get(note.importId)?.note ?? note, isRunning: this.#runs.has(note.importId) }))
  }

  /** After the slice at hand; what is loaded stays. Errors: `NAME_UNKNOWN`. */
  async stop(id: string): Promise<ImportStanding> {
    const run = this.#runs.get(id)
    if (run === undefined) return this.status(id)
    run.stop.abort()
    return { note: await run.ended, isRunning: false }
  }

  /** The target stays as it is, and so does what it holds of an import that is not complete. Errors: `NAME_UNKNOWN`. */
  async forget(id: string): Promise<void> {
    await this.stop(id)
    await this.#notes.delete(id)
  }

  /** Two requests at once are one. */
  #begin(id: string): Promise<Run | ImportNote> {
    const run = this.#runs.get(id)
    if (run !== undefined) return Promise.resolve(run)
    const beginning = this.#beginnings.get(id) ?? this.#start(id).finally(() => this.#beginnings.delete(id))
    this.#beginnings.set(id, beginning)
    return beginning
  }

  async #start(id: string): Promise<Run | ImportNote> {
    const importer = needed(this.#options.importer, 'importer')
    const stored = await this.#notes.get(id)
    const stop = new AbortController()
    const signal = AbortSignal.any([this.#options.closing, stop.signal])
    const before = stored === undefined ? undefined : await this.#seen(stored, signal)
    if (before?.status === 'completed') return before
    // A dump that is not there, or does not fit, leaves no note.
    const status = await importer.status(id, { signal })
    const nowMs = Date.now()
    const note = noteOf(id, status, before?.createdAtMs ?? nowMs)
    await this.#notes.put(note)
    const run: Run = { stop, note, hasBegun: status.rows > 0, ended: Promise.resolve().then(() => this.#run(run, signal)) }
    this.#runs.set(id, run)
    this.#options.waitUntil(run.ended.then(() => undefined, () => undefined))
    return run
  }

  /** An import whose process was killed after its end, and before that was noted, has ended all the same: all was loaded, and nothing is left to go on with. */
  async #seen(note: ImportNote, signal: AbortSignal): Promise<ImportNote> {
    if (note.status === 'completed' || note.isLoaded !== true) return note
    const importer = needed(this.#options.importer, 'importer')
    if (!(await importer.looksComplete(note.importId, { signal }))) return note
    const { error: _error, ...rest } = note
    const completed: ImportNote = { ...rest, status: 'completed', notes: [UNSEEN], updatedAtMs: Date.now() }
    await this.#notes.put(completed)
    return completed
  }

  async #run(run: Run, signal: AbortSignal): Promise<ImportNote> {
    try {
      for await (const status of this.#statuses(run, signal)) await this.#note(run, noteOf(run.note.importId, status, run.note.createdAtMs))
    } catch (cause) {
      const error = toTidemarkError(cause)
      const isStopped = signal.aborted && error.code === 'ABORTED'
      // Another process is at it, and tells how it stands.
      if (error.code === 'LEASE_LOST') throw error
      await this.#note(run, { ...run.note, updatedAtMs: Date.now(), ...(isStopped ? { status: 'stopped' } : { status: 'failed', error: error.toJSON() }) })
      if (!isStopped) throw error
    } finally {
      this.#runs.delete(run.note.importId)
    }
    return run.note
  }

  /** To the end, or one step of it. */
  async *#statuses(run: Run, signal: AbortSignal): AsyncGenerator<ImportStatus> {
    const { importId: id, createdAtMs } = run.note
    const beforeEnd = (status: ImportStatus): Promise<void> => this.#note(run, { ...noteOf(id, status, createdAtMs), isLoaded: true })
    const { runsImports, importWaitMs } = this.#options
    const importer = needed(this.#options.importer, 'importer')
    if (runsImports) yield* importer.run(id, { signal, beforeEnd, hasBegun: run.hasBegun })
    else yield (await importer.step(id, { budgetMs: importWaitMs, signal, beforeEnd, hasBegun: run.hasBegun })).status
  }

  async #note(run: Run, note: ImportNote): Promise<void> {
    run.note = note
    await this.#notes.put(note)
  }
}

function noteOf(importId: string, { status, rows, totalRows, bytes, totalBytes, notes }: ImportStatus, createdAtMs: number): ImportNote {
  return { version: 1, importId, status, rows, totalRows, bytes, totalBytes, notes, createdAtMs, updatedAtMs: Date.now() }
}
