import { randomUUID } from 'node:crypto'
import type { AbortOptions } from '@tidemark/core/adapter'
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

  /** Waits until all transactions that write just now have ended. Errors: `TIMEOUT` when they don't, `LOG_UNAVAILABLE`. */
  static async open(session: PostgresSession, options: AbortOptions): Promise<SnapshotSession> {
    const bound = { signal: options.signal, timeoutMs: session.queryTimeoutMs }
    const { instance: exporter } = await openReplication(session, options)
    try {
      const name = `tidemark_${randomUUID().replaceAll('-', '')}`
      const [row] = await ask(exporter, `CREATE_REPLICATION_SLOT ${quoteIdentifier(name)} TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT`, bound)
      const begin = `BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET TRANSACTION SNAPSHOT ${quoteLiteral(row?.[2] ?? '')}`
      return new SnapshotSession(session, await session.openTransaction(begin, options), parseLsn(row?.[1]))
    } catch (error) {
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
