import { TidemarkError } from '@tidemark/core/adapter'
import type { AbortOptions } from '@tidemark/core/adapter'
import { resolveTarget } from './connect-target.ts'
import { mapPostgresError } from './errors.ts'
import type { PostgresConfig } from './postgres-config.ts'
import { PostgresInstance } from './postgres-instance.ts'
import { isPinned } from './session-parameters.ts'

/** A row as the server's own text, in column order. */
export type TextRow = readonly (string | null)[]

export const DEFAULT_CONNECT_TIMEOUT_MS = 15_000
export const DEFAULT_QUERY_TIMEOUT_MS = 120_000
/** `pg_current_snapshot` and array subscripting handlers came with 13 and 14. */
const MIN_SERVER_MAJOR = 14

/**
 * One logical connection: at most one physical one at a time, thrown away after any error, time-out or abort and
 * opened again by the next query.
 */
export class PostgresSession implements AsyncDisposable {
  readonly #config: PostgresConfig
  #instance: PostgresInstance | undefined
  #disposed = false

  constructor(config: PostgresConfig) {
    this.#config = config
  }

  /** Runs one statement. `parameters` are bound as text. Errors: as {@link mapPostgresError}, `TIMEOUT`, `ABORTED`. */
  async query(text: string, parameters: readonly string[], options: AbortOptions = {}): Promise<readonly TextRow[]> {
    const instance = await this.#acquire(options)
    try {
      const query = instance.sql.unsafe(text, [...parameters], { prepare: this.#config.prepare ?? true }).values()
      const rows: unknown = await this.#bounded(query, options)
      checkSession(instance)
      return checkRows(rows)
    } catch (error) {
      this.#discard(instance)
      throw mapPostgresError(error)
    }
  }

  /** A physical connection of its own for a stream; the caller destroys it. */
  async openInstance(options: AbortOptions = {}): Promise<PostgresInstance> {
    return this.#open(0, options)
  }

  get queryTimeoutMs(): number {
    return this.#config.queryTimeoutMs ?? DEFAULT_QUERY_TIMEOUT_MS
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true
    const instance = this.#instance
    this.#instance = undefined
    await instance?.close()
  }

  async #acquire(options: AbortOptions): Promise<PostgresInstance> {
    if (this.#disposed) throw new TidemarkError('CLOSED', 'The connection to the source is closed.')
    if (this.#instance !== undefined && !this.#instance.closed) return this.#instance
    this.#instance = await this.#open(this.queryTimeoutMs, options)
    return this.#instance
  }

  async #open(statementTimeoutMs: number, options: AbortOptions): Promise<PostgresInstance> {
    if (options.signal?.aborted === true) throw aborted()
    const target = await this.#bounded(resolveTarget(this.#config), options)
    const password = target.password === undefined ? undefined : await this.#bounded(target.password.reveal(), options)
    return new PostgresInstance(target, password, {
      statementTimeoutMs,
      connectTimeoutMs: this.#config.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
      applicationName: this.#config.applicationName ?? 'tidemark',
      prepare: this.#config.prepare ?? true,
    })
  }

  #discard(instance: PostgresInstance): void {
    instance.destroy()
    if (this.#instance === instance) this.#instance = undefined
  }

  /** Settles with `work`, at the time limit or at the abort, whichever is first. `work` is left behind, never unheard. */
  #bounded<T>(work: PromiseLike<T>, options: AbortOptions): Promise<T> {
    return bounded(work, { signal: options.signal, timeoutMs: this.queryTimeoutMs })
  }
}

export interface BoundOptions extends AbortOptions {
  readonly timeoutMs: number
}

/** Settles with `work`, at the time limit (`TIMEOUT`) or at the abort (`ABORTED`), whichever is first. */
export function bounded<T>(work: PromiseLike<T>, options: BoundOptions): Promise<T> {
  return new Promise((resolve, reject) => {
    const done = (settle: () => void): void => {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', onAbort)
      settle()
    }
    const onAbort = (): void => done(() => reject(aborted()))
    const timer = setTimeout(() => done(() => reject(timedOut(options.timeoutMs))), options.timeoutMs)
    options.signal?.addEventListener('abort', onAbort, { once: true })
    if (options.signal?.aborted === true) onAbort()
    work.then((value) => done(() => resolve(value)), (error: unknown) => done(() => reject(error)))
  })
}

export function aborted(): TidemarkError {
  return new TidemarkError('ABORTED', 'The operation on the source was aborted.')
}

function timedOut(timeoutMs: number): TidemarkError {
  return new TidemarkError('TIMEOUT', `The source did not answer within ${timeoutMs} ms.`)
}

/** Throws `SERVER_UNSUPPORTED` for an old server, `SOURCE_FAILED` for a session that is not pinned. */
export function checkSession(instance: PostgresInstance): void {
  const reported: Readonly<Record<string, unknown>> = { ...instance.sql.parameters }
  if (Number.parseInt(String(reported['server_version']), 10) < MIN_SERVER_MAJOR) {
    throw new TidemarkError('SERVER_UNSUPPORTED', `The source runs a PostgreSQL older than ${MIN_SERVER_MAJOR}.`)
  }
  if (isPinned(reported)) return
  throw new TidemarkError('SOURCE_FAILED', 'The session lost its time zone or date style, as behind a pooler.', {
    remedy: 'Connect to the server itself, or make the pooler keep TimeZone, DateStyle and IntervalStyle.',
  })
}

/** A connection that breaks while rows arrive has been seen to resolve with holes: see the class comment of the instance. */
function checkRows(rows: unknown): readonly TextRow[] {
  if (!Array.isArray(rows)) throw corrupt('is no list of rows')
  // The driver's result is an array with the server's own count beside it.
  const { count } = rows as { readonly count?: unknown }
  if (count !== rows.length) throw corrupt('has another length than the server counted')
  const width = Array.isArray(rows[0]) ? rows[0].length : 0
  for (let i = 0; i < rows.length; i += 1) {
    const row: unknown = rows[i]
    if (!Array.isArray(row) || row.length !== width) throw corrupt('has a hole')
  }
  return rows
}

function corrupt(fault: string): TidemarkError {
  return new TidemarkError('SOURCE_CORRUPT_RESULT', `A result of the source ${fault}.`)
}
