import { TidemarkError, type AbortOptions, type CreateViewRequest, type ExportConnection, type ExportView, type OpenViewRequest, type ViewRef } from '@tidemark/core/adapter'
import type { PostgresSession } from '../postgres-session.ts'
import { ExportTransaction } from './export-transaction.ts'
import { makePlan, type HeldPlan } from './make-plan.ts'
import { PostgresExportView } from './postgres-export-view.ts'

interface HeldSnapshot {
  /** Its transaction holds the snapshot, and the tables as they are; it reads nothing. */
  readonly keeper: ExportTransaction
  readonly snapshot: string
  readonly plan: HeldPlan
}

const CUT = `CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_insert_lsn() END`

/** Snapshots live in the connection that made them, and no longer than it. */
export class PostgresExportConnection implements ExportConnection {
  readonly #session: PostgresSession
  readonly #held = new Map<string, HeldSnapshot>()

  constructor(session: PostgresSession) {
    this.#session = session
  }

  async createView({ viewId, consistency, selection, signal }: CreateViewRequest): Promise<ViewRef> {
    if (consistency !== 'snapshot') throw new TidemarkError('NOT_SUPPORTED', `An export of PostgreSQL has no '${consistency}' view.`)
    await this.dropView({ viewId })
    const keeper = await ExportTransaction.begin(this.#session, { signal })
    try {
      const [[snapshot, cut] = []] = await keeper.rows(`SELECT pg_catalog.pg_export_snapshot(), ${CUT}`, { signal })
      const plan = await makePlan(keeper, { selection, session: this.#session, signal })
      this.#held.set(viewId, { keeper, snapshot: snapshot ?? '', plan })
      return { viewId, consistency, token: snapshot ?? '', cut: cut ?? undefined }
    } catch (error) {
      keeper.close()
      throw error
    }
  }

  openView({ ref, render }: OpenViewRequest): Promise<ExportView> {
    const { plan } = this.#require(ref)
    return Promise.resolve(new PostgresExportView({
      held: plan, render,
      open: async ({ signal }) => ExportTransaction.begin(this.#session, { snapshot: this.#require(ref).snapshot, signal }),
    }))
  }

  dropView({ viewId }: Pick<ViewRef, 'viewId'>): Promise<void> {
    this.#held.get(viewId)?.keeper.close()
    this.#held.delete(viewId)
    return Promise.resolve()
  }

  /** Indexes that are not whole, and constraints that were never held against all rows. */
  async checkIntegrity({ signal }: AbortOptions = {}): Promise<readonly string[]> {
    const rows = await this.#session.query({
      text: `SELECT 'The index ' || i.indexrelid::pg_catalog.regclass || ' is not valid.' FROM pg_catalog.pg_index i WHERE NOT i.indisvalid
        UNION ALL SELECT 'The constraint ' || k.conname || ' of ' || k.conrelid::pg_catalog.regclass || ' is not validated.' FROM pg_catalog.pg_constraint k WHERE NOT k.convalidated ORDER BY 1`,
      signal,
    })
    return rows.map(([line]) => line ?? '')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const viewId of this.#held.keys()) await this.dropView({ viewId })
    await this.#session[Symbol.asyncDispose]()
  }

  #require({ viewId, token }: ViewRef): HeldSnapshot {
    const held = this.#held.get(viewId)
    if (held !== undefined && held.snapshot === token && !held.keeper.isOver) return held
    throw new TidemarkError('SNAPSHOT_LOST', 'The connection that held the snapshot is gone.')
  }
}
