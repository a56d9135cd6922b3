import type { ImportTarget } from '../dialect/import-target.ts'
import type { AbortOptions } from '../dialect/source.ts'
import { openDump } from '../dump/encryption/open-dump.ts'
import { readManifest } from '../dump/read-manifest.ts'
import type { Manifest } from '../dump/manifest.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import { toTidemarkError } from '../errors/to-tidemark-error.ts'
import { waitForRetry } from '../engine/run-steps.ts'
import { throwIfAborted } from '../util/throw-if-aborted.ts'
import { Emitter, type Unsubscribe } from '../events/emitter.ts'
import { importContext, type ImportContext } from './import-context.ts'
import type { ImportEvents } from './import-events.ts'
import type { ImporterOptions, ImportInput, ImportRunOptions, ImportStepOptions } from './import-options.ts'
import type { ImportPlace } from './import-place.ts'
import { ImportSession } from './import-session.ts'
import type { ImportStatus } from './import-status.ts'
import { loadDump, tablesIn } from './load-dump.ts'
import { loadSqlFile } from './load-sql-file.ts'

const DEFAULT_BUDGET_MS = 20_000

/**
 * Loads dumps into a database: in slices, each a transaction that also stores how far it came, so that a kill loses nothing and repeats nothing.
 *
 * Until it is complete, what is loaded so far can be seen. Foreign keys are not enforced meanwhile; what they would have refused is in the notes.
 *
 * Errors: the constructor throws `CONFIG_INVALID`.
 */
export class Importer {
  readonly #context: ImportContext
  readonly #emitter: Emitter<ImportEvents>

  constructor(options: ImporterOptions) {
    this.#context = importContext(options)
    const { logger } = this.#context
    this.#emitter = new Emitter((_error, event) => logger.warn({ event }, 'A listener failed.'))
  }

  /** Listens to one kind of event. A listener that throws breaks nothing. */
  on<Name extends keyof ImportEvents>(event: Name, listener: (payload: ImportEvents[Name]) => unknown): Unsubscribe {
    return this.#emitter.on(event, listener)
  }

  /**
   * To the end, going on where an import of the same dump into the same target stopped.
   *
   * Errors: `TARGET_NOT_OWNED` for a table that is there already, `DUMP_INCOMPLETE`, `DUMP_CORRUPT`, `DUMP_FOREIGN`, `DUMP_NEWER`, `STATEMENT_FAILED` with the line,
   * `DUMP_KEY_MISSING`, `DUMP_KEY_WRONG`, `SECRET_MISSING`, `NOT_SUPPORTED`, `STORAGE_*`, `TARGET_*`, `LEASE_LOST` when another process loads the same, `ABORTED`.
   */
  async load(input: ImportInput, options: ImportRunOptions = {}): Promise<ImportStatus> {
    let last: ImportStatus | undefined
    for await (const status of this.run(input, options)) last = status
    if (last === undefined) throw new TidemarkError('INTERNAL', 'An import ended without a status.')
    return last
  }

  /** As `load`, with the status after each slice. Ended early, it goes on another time. */
  run(input: ImportInput, { signal = new AbortController().signal, ...options }: ImportRunOptions = {}): AsyncGenerator<ImportStatus> {
    return this.#told(input, this.#retried(input, { ...options, signal }))
  }

  /** Slices until the budget is used up, at least one: for an alarm or a cron trigger. Errors: as `load`; retryable ones are for the caller to come back after. */
  async step(input: ImportInput, { budgetMs = DEFAULT_BUDGET_MS, signal = new AbortController().signal, beforeEnd, hasBegun = false }: ImportStepOptions = {}): Promise<{ readonly done: boolean; readonly status: ImportStatus }> {
    const { runtime } = this.#context
    const endMs = runtime.now() + budgetMs
    for await (const status of this.#told(input, this.#slices(input, { signal, beforeEnd, known: { hasBegun } }))) {
      const done = status.status === 'completed'
      if (done || runtime.now() >= endMs) return { done, status }
    }
    throw new TidemarkError('INTERNAL', 'An import ended without a status.')
  }

  /** How far it is, by what the target holds; loads nothing. One that has not begun, or is complete, has no rows here. Errors: as `load`. */
  async status(input: ImportInput, { signal = new AbortController().signal }: AbortOptions = {}): Promise<ImportStatus> {
    const { importId, dump, totals } = await (typeof input === 'string' ? this.#openDump(input, signal) : this.#openFile(input.sql, signal))
    await using connection = await this.#context.target.connectImport({ signal })
    return loading(await ImportSession.open({ importId, dump, connection, signal }), totals)
  }

  /**
   * Whether the target has every table of the dump and no place to go on from: as after the end of an import, but whose the tables are it can't say. For who was told by
   * `beforeEnd`, and of no end. Errors: as `load`.
   */
  async looksComplete(id: string, { signal = new AbortController().signal }: AbortOptions = {}): Promise<boolean> {
    const { target } = this.#context
    const { importId, dump, manifest } = await this.#openDump(id, signal)
    await using connection = await target.connectImport({ signal })
    const session = await ImportSession.open({ importId, dump, connection, signal })
    const names = tablesIn(target, manifest).map(({ name }) => name)
    return !session.hasBegun && names.length > 0 && (await session.existing(names)).length === names.length
  }

  /** Tells listeners of a run or a step. */
  async *#told(input: ImportInput, statuses: AsyncGenerator<ImportStatus>): AsyncGenerator<ImportStatus> {
    const { runtime } = this.#context
    const importId = importIdOf(input)
    const beginMs = runtime.now()
    let done = false
    let failure: TidemarkError | undefined
    this.#emitter.emit('import:start', { importId })
    try {
      for await (const status of statuses) {
        const { rows, totalRows, bytes, totalBytes } = status
        this.#emitter.emit('import:progress', { importId, rows, totalRows, bytes, totalBytes })
        done = status.status === 'completed'
        yield status
      }
    } catch (error) {
      failure = toTidemarkError(error)
      throw error
    } finally {
      const durationMs = runtime.now() - beginMs
      if (failure === undefined) this.#emitter.emit('import:end', { importId, done, durationMs })
      else this.#emitter.emit('import:error', { importId, error: failure.toJSON(), durationMs })
    }
  }

  async *#retried(input: ImportInput, options: SliceOptions): AsyncGenerator<ImportStatus> {
    const known: Known = { hasBegun: options.hasBegun ?? false }
    let failures = 0
    for (;;) {
      try {
        for await (const status of this.#slices(input, { ...options, known })) {
          failures = 0
          yield status
        }
        return
      } catch (error) {
        failures += 1
        await this.#rest(input, { error: toTidemarkError(error), failures, signal: options.signal })
      }
    }
  }

  /** Before it goes on from what the target holds, so that nothing needs to be known of how far the failed slice came. */
  async #rest(input: ImportInput, { error, failures, signal }: { readonly error: TidemarkError; readonly failures: number; readonly signal: AbortSignal }): Promise<void> {
    const { runtime, retry, logger } = this.#context
    const onRetry = (error: TidemarkError, attempt: number, delayMs: number): void => {
      logger.warn({ code: error.code, attempt, delayMs }, 'A slice of the import is tried again.')
      this.#emitter.emit('import:retry', { importId: importIdOf(input), error: error.toJSON(), attempt, delayMs })
    }
    await waitForRetry(error, failures, { runtime, retry, signal, onRetry })
  }

  #slices(input: ImportInput, options: SliceOptions): AsyncGenerator<ImportStatus> {
    return typeof input === 'string' ? this.#dump(input, options) : this.#file(input.sql, options)
  }

  async *#dump(id: string, { signal, beforeEnd, known }: SliceOptions): AsyncGenerator<ImportStatus> {
    const { source: storage, target, compressionOf } = this.#context
    const { importId, dump, totals, manifest, encryption, format } = await this.#openDump(id, signal)
    await using connection = await target.connectImport({ signal })
    const session = await ImportSession.open({ importId, dump, connection, signal })
    yield* this.#finishing(session, { totals, beforeEnd, known }, loadDump({ session, manifest, storage, target, format, compressionOf, encryption }))
  }

  async #openDump(id: string, signal: AbortSignal): Promise<OpenedDump> {
    const { source: storage, keys } = this.#context
    const manifest = await readManifest(storage, id, { signal })
    const encryption = await openDump(manifest, keys)
    const format = this.#formatOf(manifest)
    const totals = { rows: manifest.tables.reduce((sum, { rows }) => sum + rows, 0), bytes: manifest.objects.flatMap(({ chunks }) => chunks).reduce((sum, { bytes }) => sum + bytes, 0) }
    return { importId: manifest.id, dump: manifest.sha256, totals, manifest, encryption, format }
  }

  async *#file(key: string, { signal, beforeEnd, known }: SliceOptions): AsyncGenerator<ImportStatus> {
    const { source: storage, target, maxStatementBytes, compressions } = this.#context
    const { importId, dump, totals } = await this.#openFile(key, signal)
    const compression = compressions.find(({ extension }) => key.endsWith(`.${extension}`))
    await using connection = await target.connectImport({ signal })
    const session = await ImportSession.open({ importId, dump, connection, signal })
    yield* this.#finishing(session, { totals, beforeEnd, known }, loadSqlFile({ session, storage, key, fileBytes: totals.bytes, compression, rules: target.rules, maxStatementBytes }))
  }

  async #openFile(key: string, signal: AbortSignal): Promise<Opened> {
    const file = await this.#context.source.head(key, { signal })
    if (file === undefined) throw new TidemarkError('OBJECT_UNKNOWN', `There is no file ${key}.`)
    return { importId: importIdOf({ sql: key }), dump: `${file.bytes}:${file.etag}`, totals: { rows: undefined, bytes: file.bytes } }
  }

  async *#finishing(session: ImportSession, { totals, beforeEnd, known }: Ending, places: AsyncIterable<ImportPlace>): AsyncGenerator<ImportStatus> {
    if (known?.hasBegun === true && !session.hasBegun) throw new TidemarkError('LEASE_LOST', 'Another process has loaded the same dump to its end, or has forgotten it; nothing was written.')
    for await (const _place of places) {
      if (known !== undefined) known.hasBegun ||= session.hasBegun
      yield loading(session, totals)
      throwIfAborted(session.signal)
    }
    await beforeEnd?.(loading(session, totals))
    throwIfAborted(session.signal)
    const notes = await session.finish()
    yield { ...loading(session, totals), status: 'completed', notes }
  }

  #formatOf({ format: name, dialect }: Manifest): ReturnType<ImportContext['formatOf']> {
    const { target, formatOf } = this.#context
    if (name === 'sql') return requireSame(dialect, target)
    const format = formatOf(name)
    if (format === undefined) throw new TidemarkError('NOT_SUPPORTED', `The dump needs the format "${name}".`, { remedy: 'Give it in `formats`.' })
    return format
  }
}

interface Totals {
  readonly rows: number | undefined
  readonly bytes: number
}

/** What a run has seen of the target. One that had begun, and then has not, has come to its end elsewhere: to begin anew would load every row twice. */
interface Known {
  hasBegun: boolean
}

/** `known`: of a run, which is tried again. */
type SliceOptions = ImportRunOptions & { readonly signal: AbortSignal; readonly known?: Known | undefined }

type Ending = Pick<SliceOptions, 'beforeEnd' | 'known'> & { readonly totals: Totals }

/** What is to be loaded. */
interface Opened {
  readonly importId: string
  /** Says whether it is still the same: its digest, or a file's etag. */
  readonly dump: string
  readonly totals: Totals
}

interface OpenedDump extends Opened {
  readonly manifest: Manifest
  readonly encryption: Awaited<ReturnType<typeof openDump>>
  readonly format: ReturnType<ImportContext['formatOf']>
}

/** As the target keeps it. */
function importIdOf(input: ImportInput): string {
  return typeof input === 'string' ? input : `sql:${input.sql}`
}

function loading({ importId, place }: ImportSession, totals: Totals): ImportStatus {
  return { importId, status: 'loading', rows: place.rows, totalRows: totals.rows, bytes: place.bytes, totalBytes: totals.bytes, notes: [] }
}

function requireSame(dialect: string, { name }: ImportTarget): undefined {
  if (dialect !== name) throw new TidemarkError('DUMP_FOREIGN', `The dump is one of ${dialect}, the target one of ${name}.`)
}
