import { TidemarkError, type AbortOptions } from '@tidemark/core/adapter'
import { bounded } from '../bounded.ts'
import { checkRows, type TextRow } from '../check-result.ts'
import { mapPostgresError } from '../errors.ts'
import type { PostgresInstance } from '../postgres-instance.ts'
import type { PostgresSession } from '../postgres-session.ts'
import { quoteLiteral } from '../quote.ts'

/**
 * What an export is read with, besides what every session is pinned to: names come out with their schema, money in a form that depends on no locale, and
 * the server does not end a transaction that waits for its reader.
 */
const SETTINGS = `SET LOCAL search_path = ''; SET LOCAL lc_monetary = 'C'; SET LOCAL extra_float_digits = 3; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL synchronize_seqscans = off`

/** A connection in a transaction that sees one instant, for as long as it lives. */
export class ExportTransaction {
  readonly instance: PostgresInstance
  readonly timeoutMs: number

  private constructor(instance: PostgresInstance, timeoutMs: number) {
    this.instance = instance
    this.timeoutMs = timeoutMs
  }

  /** `snapshot`: the id of another transaction's, to see what that one sees. Errors: `SNAPSHOT_LOST` when that one is over; as the source's. */
  static async begin(session: PostgresSession, { snapshot, signal }: AbortOptions & { readonly snapshot?: string | undefined }): Promise<ExportTransaction> {
    const use = snapshot === undefined ? '' : `SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshot)}; `
    try {
      return new ExportTransaction(await session.openTransaction(`BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; ${use}${SETTINGS}`, { signal }), session.queryTimeoutMs)
    } catch (error) {
      // 22023 and 42704: an id that names no snapshot, or none any more.
      const isLost = error instanceof TidemarkError && snapshot !== undefined && (error.detail === '22023' || error.detail === '42704')
      throw isLost ? new TidemarkError('SNAPSHOT_LOST', 'The transaction that held the snapshot is over.', { cause: error }) : error
    }
  }

  get isOver(): boolean {
    return this.instance.closed
  }

  /** Runs what has no rows. */
  async run(text: string, { signal }: AbortOptions = {}): Promise<void> {
    try {
      await bounded(this.instance.sql.unsafe(text), { signal, timeoutMs: this.timeoutMs })
    } catch (error) {
      throw mapPostgresError(error)
    }
  }

  async rows(text: string, { signal }: AbortOptions = {}): Promise<readonly TextRow[]> {
    try {
      return checkRows(await bounded(this.instance.sql.unsafe(text).values(), { signal, timeoutMs: this.timeoutMs }))
    } catch (error) {
      throw mapPostgresError(error)
    }
  }

  /** The first column of each row. */
  async texts(text: string, options: AbortOptions = {}): Promise<readonly string[]> {
    return (await this.rows(text, options)).map(([first]) => first ?? '')
  }

  close(): void {
    this.instance.destroy()
  }
}
