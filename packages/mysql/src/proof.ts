import type { TableSchema } from '@tidemark/core/adapter'
import { errnoOf } from './errors.ts'
import type { ProofKind } from './fence.ts'
import type { RunOptions } from './mysql-link.ts'
import type { Session } from './open-session.ts'
import { quoteTable } from './quote.ts'
import { catalogueFilter } from './table-fingerprint.ts'

/** Engines whose share locks meet the locks of every open writer. */
const LOCKING_ENGINES = ['InnoDB']

/** Denied to see other users' transactions (PROCESS). */
const PROCESS_DENIED_ERRNO = 1227

/**
 * What can be proved about a table's late commits, found out once for each table of a physical connection: the next
 * one may lead to another server.
 *
 * `locks` where its rows can be share-locked; else `transactions` where the user may see the open ones; else `grace`,
 * the wait that core declares. A server whose writers are elsewhere has only the last.
 */
export class ProofKinds {
  readonly #kinds = new WeakMap<Session, Map<string, ProofKind>>()

  async of(session: Session, table: TableSchema, options: RunOptions): Promise<ProofKind> {
    const known = this.#known(session)
    const name = quoteTable(table.ref)
    const kind = known.get(name) ?? await findKind(session, table, options)
    known.set(name, kind)
    return kind
  }

  /** The server refused to lock at all, rather than because of a writer. */
  async withoutLocks(session: Session, table: TableSchema, options: RunOptions): Promise<ProofKind> {
    const kind = await seesTransactions(session, options) ? 'transactions' : 'grace'
    this.#known(session).set(quoteTable(table.ref), kind)
    return kind
  }

  #known(session: Session): Map<string, ProofKind> {
    const known = this.#kinds.get(session) ?? new Map<string, ProofKind>()
    this.#kinds.set(session, known)
    return known
  }
}

async function findKind(session: Session, table: TableSchema, options: RunOptions): Promise<ProofKind> {
  if (session.server.hasRemoteWriters) return 'grace'
  if (table.kind === 'table') {
    const [row] = await session.link.rows(`SELECT engine FROM information_schema.tables WHERE ${catalogueFilter(table.ref)}`, options)
    if (LOCKING_ENGINES.includes(row?.[0] ?? '')) return 'locks'
  }
  // Behind a view there may be anything; which transactions are open can still be asked.
  return await seesTransactions(session, options) ? 'transactions' : 'grace'
}

export async function seesTransactions(session: Session, options: RunOptions): Promise<boolean> {
  try {
    await session.link.rows('SELECT 1 FROM information_schema.innodb_trx LIMIT 1', { ...options, expectedErrnos: [PROCESS_DENIED_ERRNO] })
    return true
  } catch (error) {
    if (errnoOf(error) === PROCESS_DENIED_ERRNO) return false
    throw error
  }
}
