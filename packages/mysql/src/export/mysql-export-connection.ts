import {
  TidemarkError, type AbortOptions, type CreateViewRequest, type ExportConnection, type ExportView, type OpenViewRequest, type ViewRef,
} from '@tidemark/core/adapter'
import { randomUUID } from 'node:crypto'
import type { SourceIdentity } from '../connection-settings.ts'
import { killThread, type ServerThread } from '../kill-thread.ts'
import type { Session } from '../open-session.ts'
import { checkConditions } from './check-conditions.ts'
import { checkTables } from './check-tables.ts'
import { beginSnapshot, openExportSession } from './export-session.ts'
import { interruptStatement } from './interrupt-statement.ts'
import { makePlan, type HeldPlan } from './make-plan.ts'
import { MysqlExportView } from './mysql-export-view.ts'

interface HeldView {
  readonly token: string
  readonly session: Session
  readonly plan: HeldPlan
}

/** Snapshots live in the connection that made them, and no longer than it. */
export class MysqlExportConnection implements ExportConnection {
  readonly #identity: SourceIdentity
  readonly #held = new Map<string, HeldView>()
  readonly #sessions = new Set<Session>()
  readonly #kills = new Set<Promise<void>>()
  #isClosed = false

  constructor(identity: SourceIdentity) {
    this.#identity = identity
  }

  async createView({ viewId, consistency, selection, signal }: CreateViewRequest): Promise<ViewRef> {
    if (consistency === 'corrected') throw new TidemarkError('NOT_SUPPORTED', 'An export of MySQL is not corrected from its log.')
    await this.dropView({ viewId, consistency })
    const session = await this.#connect({ signal })
    try {
      const limits = this.#limits(signal)
      await checkConditions(session, selection, limits)
      const cut = consistency === 'snapshot' ? await beginSnapshot(session, limits) : undefined
      const plan = await makePlan(session, { ...limits, selection, isSnapshot: consistency === 'snapshot' })
      const token = randomUUID()
      if (consistency === 'snapshot') this.#held.set(viewId, { token, session, plan })
      else await this.#close(session)
      return { viewId, consistency, token, cut }
    } catch (error) {
      await this.#close(session)
      throw error
    }
  }

  async openView({ ref, selection, render, signal }: OpenViewRequest): Promise<ExportView> {
    const isSnapshot = ref.consistency === 'snapshot'
    const held = isSnapshot ? this.#require(ref) : undefined
    let session = held?.session ?? await this.#connect({ signal })
    const common = { render, isSnapshot, timeoutMs: this.#identity.queryTimeoutMs, interrupt: (busy: Session) => interruptStatement(this.#identity, busy) }
    if (held !== undefined) {
      return new MysqlExportView({
        ...common, held: held.plan, close: async () => undefined,
        session: async () => this.#require(ref).session,
      })
    }
    return new MysqlExportView({
      ...common, held: await makePlan(session, { ...this.#limits(signal), selection, isSnapshot }),
      close: async () => await this.#close(session),
      // Of no instant, so that another connection serves as well.
      session: async (options) => session.link.isUsable ? session : (session = await this.#connect(options)),
    })
  }

  async dropView({ viewId }: Pick<ViewRef, 'viewId' | 'consistency'>): Promise<void> {
    const held = this.#held.get(viewId)
    this.#held.delete(viewId)
    if (held !== undefined) await this.#close(held.session)
  }

  async checkIntegrity({ signal }: AbortOptions = {}): Promise<readonly string[]> {
    const session = await this.#connect({ signal })
    try {
      return await checkTables(session, { signal })
    } finally {
      await this.#close(session)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#held.clear()
    for (const session of Array.from(this.#sessions)) await this.#close(session)
    await Promise.all(this.#kills)
  }

  #require({ viewId, token }: ViewRef): HeldView {
    if (this.#isClosed) throw closed()
    const held = this.#held.get(viewId)
    if (held?.token === token && held.session.link.isUsable) return held
    throw new TidemarkError('SNAPSHOT_LOST', 'The connection that held the snapshot is gone.')
  }

  #limits(signal: AbortSignal | undefined): { readonly signal: AbortSignal | undefined; readonly timeoutMs: number } {
    return { signal, timeoutMs: this.#identity.queryTimeoutMs }
  }

  async #connect({ signal }: AbortOptions): Promise<Session> {
    if (this.#isClosed) throw closed()
    const session = await openExportSession(this.#identity, { signal, onAbandon: this.#onAbandon })
    this.#sessions.add(session)
    return session
  }

  async #close(session: Session): Promise<void> {
    this.#sessions.delete(session)
    await session.link.close()
  }

  readonly #onAbandon = (thread: ServerThread): void => {
    const kill = killThread(this.#identity, thread).finally(() => this.#kills.delete(kill))
    this.#kills.add(kill)
  }
}

function closed(): TidemarkError {
  return new TidemarkError('CLOSED', 'The MySQL connection was closed.')
}
