import { randomUUID } from 'node:crypto'
import { TidemarkError, type AbortOptions } from '@tidemark/core/adapter'
import { bounded } from '../bounded.ts'
import { checkRows, type TextRow } from '../check-result.ts'
import { mapPostgresError } from '../errors.ts'
import type { PostgresInstance } from '../postgres-instance.ts'
import type { PostgresSession } from '../postgres-session.ts'
import { quoteIdentifier, quoteLiteral } from '../quote.ts'
import { parseLsn, type Lsn } from './lsn.ts'
import { ask, openReplication } from './open-replication.ts'

/**
 * A transaction that sees the database as it stood at one place of the log: exactly what was committed before it.
 *
 * The place comes from a temporary slot, whose making exports such a snapshot. What a session sees by itself has no place in the log: a
 * transaction is in the log before others see it. The slot is gone once the transaction has the snapshot.
 */
export class SnapshotSession {
  readonly id = randomUUID().slice(0, 8)
  readonly lsn: Lsn
  readonly #session: PostgresSession
  readonly #instance: PostgresInstance

  private constructor(session: PostgresSession, instance: PostgresInstance, lsn: Lsn) {
    this.#session = session
    this.#instance = instance
    this.lsn = lsn
  }

  /** Waits until all transactions that write just now have ended. Errors: `TIMEOUT` when they don't within `waitMs`, `LOG_UNAVAILABLE`. */
  static async open(session: PostgresSession, { waitMs, ...options }: AbortOptions & { readonly waitMs: number }): Promise<SnapshotSession> {
    const { instance: exporter, pid } = await openReplication(session, options)
    try {
      const [row] = await exportSnapshot(exporter, { ...options, timeoutMs: waitMs })
      const begin = `BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET TRANSACTION SNAPSHOT ${quoteLiteral(row?.[2] ?? '')}`
      return new SnapshotSession(session, await session.openTransaction(begin, options), parseLsn(row?.[1]))
    } catch (error) {
      exporter.destroy()
      // A log sender that waits for a transaction does not notice that we are gone, and each try would leave another one.
      await endBackend(session, pid).catch(() => undefined)
      throw mapPostgresError(error)
    } finally {
      await exporter.close()
    }
  }

  get isOpen(): boolean {
    return !this.#instance.closed
  }

  /** Errors: as those of a query; the session is closed then. */
  async query(text: string, parameters: readonly string[], options: AbortOptions): Promise<readonly TextRow[]> {
    return await this.#use(async () => checkRows(await this.#ask(text, parameters, options)))
  }

  /** A statement without rows, of which the server counts none. */
  async run(text: string, options: AbortOptions): Promise<void> {
    await this.#use(() => this.#ask(text, [], options))
  }

  #ask(text: string, parameters: readonly string[], options: AbortOptions): Promise<unknown> {
    const work = this.#instance.sql.unsafe(text, [...parameters], { prepare: false }).values()
    return bounded(work, { signal: options.signal, timeoutMs: this.#session.queryTimeoutMs })
  }

  async #use<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      this.close()
      throw mapPostgresError(error)
    }
  }

  close(): void {
    this.#instance.destroy()
  }
}

async function exportSnapshot(exporter: PostgresInstance, bound: AbortOptions & { readonly timeoutMs: number }): Promise<readonly TextRow[]> {
  const name = `tidemark_${randomUUID().replaceAll('-', '')}`
  try {
    return await ask(exporter, `CREATE_REPLICATION_SLOT ${quoteIdentifier(name)} TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT`, bound)
  } catch (error) {
    if (!(error instanceof TidemarkError) || error.code !== 'TIMEOUT') throw error
    throw new TidemarkError('TIMEOUT', `Transactions that write did not end within ${bound.timeoutMs} ms: a snapshot has to wait for them.`, {
      detail: 'snapshot', cause: error, remedy: 'Look for the oldest transaction in pg_stat_activity and pg_prepared_xacts; it is tried again. Or raise `snapshotWaitMs`.',
    })
  }
}

async function endBackend(session: PostgresSession, pid: number): Promise<void> {
  // A process that has got the number since is none of ours.
  const text = `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
    WHERE pid = $1::pg_catalog.text::pg_catalog.int4 AND backend_type = 'walsender' AND usename = CURRENT_USER`
  await session.query({ text, parameters: [String(pid)], signal: AbortSignal.timeout(END_MS) })
}

/** How long a server may take to be told. */
const END_MS = 2_000
