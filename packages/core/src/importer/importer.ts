import type { ImportTarget } from '../dialect/import-target.ts'
import type { AbortOptions } from '../dialect/source.ts'
import { openDump } from '../dump/encryption/open-dump.ts'
import { readManifest } from '../dump/read-manifest.ts'
import type { Manifest } from '../dump/manifest.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import { toTidemarkError } from '../errors/to-tidemark-error.ts'
import { waitForRetry } from '../engine/run-steps.ts'
import { throwIfAborted } from '../util/throw-if-aborted.ts'
import { importContext, type ImportContext } from './import-context.ts'
import type { ImporterOptions, ImportInput, ImportStepOptions } from './import-options.ts'
import type { ImportPlace } from './import-place.ts'
import { ImportSession } from './import-session.ts'
import type { ImportStatus } from './import-status.ts'
import { loadDump } from './load-dump.ts'
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

  constructor(options: ImporterOptions) {
    this.#context = importContext(options)
  }

  /**
   * To the end, going on where an import of the same dump into the same target stopped.
   *
   * Errors: `TARGET_NOT_OWNED` for a table that is there already, `DUMP_INCOMPLETE`, `DUMP_CORRUPT`, `DUMP_FOREIGN`, `DUMP_NEWER`, `STATEMENT_FAILED` with the line,
   * `DUMP_KEY_MISSING`, `DUMP_KEY_WRONG`, `SECRET_MISSING`, `NOT_SUPPORTED`, `STORAGE_*`, `TARGET_*`, `LEASE_LOST` when another process loads the same, `ABORTED`.
   */
  async load(input: ImportInput, options: AbortOptions = {}): Promise<ImportStatus> {
    let last: ImportStatus | undefined
    for await (const status of this.run(input, options)) last = status
    if (last === undefined) throw new TidemarkError('INTERNAL', 'An import ended without a status.')
    return last
  }

  /** As `load`, with the status after each slice. Ended early, it goes on another time. */
  async *run(input: ImportInput, { signal = new AbortController().signal }: AbortOptions = {}): AsyncGenerator<ImportStatus> {
    const { runtime, retry, logger } = this.#context
    let failures = 0
    for (;;) {
      try {
        for await (const status of this.#slices(input, signal)) {
          failures = 0
          yield status
        }
        return
      } catch (error) {
        failures += 1
        // It goes on from what the target holds, so that nothing needs to be known of how far the failed slice came.
        await waitForRetry(toTidemarkError(error), failures, { runtime, retry, signal, onRetry: ({ code }, attempt, delayMs) => logger.warn({ code, attempt, delayMs }, 'A slice of the import is tried again.') })
      }
    }
  }

  /** Slices until the budget is used up, at least one: for an alarm or a cron trigger. Errors: as `load`; retryable ones are for the caller to come back after. */
  async step(input: ImportInput, { budgetMs = DEFAULT_BUDGET_MS, signal = new AbortController().signal }: ImportStepOptions = {}): Promise<{ readonly done: boolean; readonly status: ImportStatus }> {
    const { runtime } = this.#context
    const endMs = runtime.now() + budgetMs
    for await (const status of this.#slices(input, signal)) {
      const done = status.status === 'completed'
      if (done || runtime.now() >= endMs) return { done, status }
    }
    throw new TidemarkError('INTERNAL', 'An import ended without a status.')
  }

  #slices(input: ImportInput, signal: AbortSignal): AsyncGenerator<ImportStatus> {
    return typeof input === 'string' ? this.#dump(input, signal) : this.#file(input.sql, signal)
  }

  async *#dump(id: string, signal: AbortSignal): AsyncGenerator<ImportStatus> {
    const { source: storage, target, compressionOf, keys } = this.#context
    const manifest = await readManifest(storage, id, { signal })
    const encryption = await openDump(manifest, keys)
    const format = this.#formatOf(manifest)
    const totals = { rows: manifest.tables.reduce((sum, { rows }) => sum + rows, 0), bytes: manifest.objects.flatMap(({ chunks }) => chunks).reduce((sum, { bytes }) => sum + bytes, 0) }
    await using connection = await target.connectImport({ signal })
    const session = await ImportSession.open({ importId: manifest.id, dump: manifest.sha256, connection, signal })
    yield* this.#finishing(session, totals, loadDump({ session, manifest, storage, target, format, compressionOf, encryption }))
  }

  async *#file(key: string, signal: AbortSignal): AsyncGenerator<ImportStatus> {
    const { source: storage, target, maxStatementBytes, compressions } = this.#context
    const file = await storage.head(key, { signal })
    if (file === undefined) throw new TidemarkError('OBJECT_UNKNOWN', `There is no file ${key}.`)
    const compression = compressions.find(({ extension }) => key.endsWith(`.${extension}`))
    await using connection = await target.connectImport({ signal })
    const session = await ImportSession.open({ importId: `sql:${key}`, dump: `${file.bytes}:${file.etag}`, connection, signal })
    const totals = { rows: undefined, bytes: file.bytes }
    yield* this.#finishing(session, totals, loadSqlFile({ session, storage, key, fileBytes: file.bytes, compression, rules: target.rules, maxStatementBytes }))
  }

  async *#finishing(session: ImportSession, totals: Totals, places: AsyncIterable<ImportPlace>): AsyncGenerator<ImportStatus> {
    const status = (place: ImportPlace): ImportStatus => (
      { importId: session.importId, status: 'loading', rows: place.rows, totalRows: totals.rows, bytes: place.bytes, totalBytes: totals.bytes, notes: [] }
    )
    for await (const place of places) {
      yield status(place)
      throwIfAborted(session.signal)
    }
    const notes = await session.finish()
    yield { ...status(session.place), status: 'completed', notes }
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

function requireSame(dialect: string, { name }: ImportTarget): undefined {
  if (dialect !== name) throw new TidemarkError('DUMP_FOREIGN', `The dump is one of ${dialect}, the target one of ${name}.`)
}
