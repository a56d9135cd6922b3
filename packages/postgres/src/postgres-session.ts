import { TidemarkError } from '@tidemark/core/adapter'
import type { AbortOptions } from '@tidemark/core/adapter'
import { aborted, bounded } from './bounded.ts'
import { checkRows, checkSession, type TextRow } from './check-result.ts'
import { resolveTarget } from './connect-target.ts'
import { mapPostgresError } from './errors.ts'
import type { PostgresConfig } from './postgres-config.ts'
import { PostgresInstance } from './postgres-instance.ts'
import { pinTransaction, refusesParameters, type Pinning } from './session-parameters.ts'
import type { SqlSession, Statement } from './sql-session.ts'

const DEFAULT_CONNECT_TIMEOUT_MS = 15_000
const DEFAULT_QUERY_TIMEOUT_MS = 120_000

/**
 * One logical connection: at most one physical one at a time, thrown away after any error, time-out or abort and
 * opened again by the next query.
 */
export class PostgresSession implements SqlSession, AsyncDisposable {
  readonly #config: PostgresConfig
  #instance: PostgresInstance | undefined
  #pinning: Pinning = 'startup'
  #disposed = false

  constructor(config: PostgresConfig) {
    this.#config = config
  }

  get queryTimeoutMs(): number {
    return this.#config.queryTimeoutMs ?? DEFAULT_QUERY_TIMEOUT_MS
  }

  /** Runs one statement. Errors: as {@link mapPostgresError}, `TIMEOUT`, `ABORTED`, `SOURCE_CORRUPT_RESULT`, `CLOSED`. */
  async query(statement: Statement): Promise<readonly TextRow[]> {
    return this.#withFallback(statement, async () => {
      if (this.#instance === undefined || this.#instance.closed) this.#instance = await this.#open(this.queryTimeoutMs, statement)
      return [this.#instance, (instance) => this.#run(instance, statement)]
    })
  }

  /**
   * A physical connection of its own, inside a transaction of the given kind, for a stream. The caller destroys it.
   * It has no statement time-out: a stream takes as long as its reader does.
   */
  async openTransaction(begin: string, options: AbortOptions): Promise<PostgresInstance> {
    return this.#withFallback(options, async () => [await this.#open(0, options), async (instance) => {
      await this.#bounded(instance.sql.unsafe(`${begin}; ${pinTransaction(0)}`), options)
      checkSession({ ...instance.sql.parameters })
      return instance
    }])
  }

  /** Runs statements that change the source, in one transaction of a connection of their own. */
  async execute(text: string, options: AbortOptions): Promise<void> {
    const instance = await this.openTransaction('BEGIN READ WRITE', options)
    try {
      await this.#bounded(instance.sql.unsafe(`SET LOCAL statement_timeout = ${Math.trunc(this.queryTimeoutMs)}; ${text}; COMMIT`), options)
    } catch (error) {
      throw mapPostgresError(error)
    } finally {
      instance.destroy()
    }
  }

  /** A physical connection of its own that can stream the log. The caller destroys it. It has no statement time-out. */
  async openReplication(options: AbortOptions): Promise<PostgresInstance> {
    if (this.#disposed) throw new TidemarkError('CLOSED', 'The connection to the source is closed.')
    if (options.signal?.aborted === true) throw aborted()
    return this.#open(0, { ...options, replicates: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true
    const instance = this.#instance
    this.#instance = undefined
    await instance?.close()
  }

  /** Runs `work` on a connection and destroys that at any error. A refusal of our parameters is answered by going without. */
  async #withFallback<T>(
    options: AbortOptions,
    start: () => Promise<readonly [PostgresInstance, (instance: PostgresInstance) => Promise<T>]>,
  ): Promise<T> {
    if (this.#disposed) throw new TidemarkError('CLOSED', 'The connection to the source is closed.')
    if (options.signal?.aborted === true) throw aborted()
    const [instance, work] = await start()
    try {
      return await work(instance)
    } catch (error) {
      instance.destroy()
      const mapped = mapPostgresError(error)
      const refused = this.#pinning === 'startup' && !instance.greeted && refusesParameters(mapped.detail)
      if (!refused) throw mapped
    }
    this.#pinning = 'transaction'
    return this.#withFallback(options, start)
  }

  async #run(instance: PostgresInstance, { text, parameters = [], signal }: Statement): Promise<readonly TextRow[]> {
    const pinned = this.#pinning === 'transaction'
    if (pinned) await this.#bounded(instance.sql.unsafe(`BEGIN READ ONLY; ${pinTransaction(this.queryTimeoutMs)}`), { signal })
    // A prepared statement is bound to a server connection, which such a pooler changes.
    const prepare = !pinned && (this.#config.prepare ?? true)
    const rows = await this.#bounded(instance.sql.unsafe(text, [...parameters], { prepare }).values(), { signal })
    checkSession({ ...instance.sql.parameters })
    if (pinned) await this.#bounded(instance.sql.unsafe('COMMIT'), { signal })
    return checkRows(rows)
  }

  async #open(statementTimeoutMs: number, options: AbortOptions & { readonly replicates?: boolean | undefined }): Promise<PostgresInstance> {
    const target = await this.#bounded(resolveTarget(this.#config), options)
    const password = target.password === undefined ? undefined : await this.#bounded(target.password.reveal(), options)
    return new PostgresInstance(target, password, {
      statementTimeoutMs,
      // Poolers don't come in between: what they refuse is said.
      pinning: options.replicates === true ? 'startup' : this.#pinning,
      replicates: options.replicates,
      connectTimeoutMs: this.#config.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
      applicationName: this.#config.applicationName ?? 'tidemark',
    })
  }

  #bounded<T>(work: PromiseLike<T>, options: AbortOptions): Promise<T> {
    return bounded(work, { signal: options.signal, timeoutMs: this.queryTimeoutMs })
  }
}
