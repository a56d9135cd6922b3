import type { DiagnoseRequest, Finding } from '@tidemark/core/adapter'
import { errnoOf } from '../errors.ts'
import type { ProofKind } from '../fence.ts'
import { REFUSALS, UNUSABLE } from '../locked-window.ts'
import type { RunOptions } from '../mysql-link.ts'
import type { Session } from '../open-session.ts'
import type { ProofKinds } from '../proof.ts'
import { quoteIdentifier, quoteTable } from '../quote.ts'
import type { CatalogueFacts } from './catalogue-facts.ts'
import { currentUser } from './current-user.ts'

export interface SettlingRequest extends DiagnoseRequest, RunOptions {
  readonly facts: CatalogueFacts
}

const MEANING: Readonly<Record<ProofKind, string>> = {
  locks: 'Late commits are proved absent by share locks that never wait for a writer.',
  transactions: 'Late commits are proved absent by the list of open transactions.',
  grace: 'Late commits are only waited for: set settleGraceMs above the longest write transaction.',
}

export async function settlingFindings(session: Session, kinds: ProofKinds, request: SettlingRequest): Promise<readonly Finding[]> {
  if (request.tracking === undefined) return []
  const findings = [...copyFindings(session), ...engineFindings(request)]
  let kind = await kinds.of(session, request.table, request)
  if (kind === 'locks' && !await canLock(session, request)) {
    kind = await kinds.withoutLocks(session, request.table, request)
    findings.push(await lockDenied(session, request))
  }
  return [...findings, { id: `settling-by-${kind}`, severity: kind === 'grace' ? 'warning' : 'info', message: MEANING[kind] }]
}

function copyFindings(session: Session): readonly Finding[] {
  if (!session.server.hasRemoteWriters) return []
  return [{
    id: 'server-is-copy', severity: 'warning',
    message: 'The server is read-only or a cluster node: its writers are elsewhere, and their open transactions can\'t be seen here.',
  }]
}

function engineFindings(request: SettlingRequest): readonly Finding[] {
  const { table, facts } = request
  if (table.kind === 'view' || facts.engine === 'InnoDB') return []
  return [{
    id: 'engine-without-locks', severity: 'warning', message: `The table's engine is ${facts.engine ?? 'unknown'}, which has no row locks to prove anything by.`,
    sql: `ALTER TABLE ${quoteTable(table.ref)} ENGINE = InnoDB;`,
  }]
}

async function canLock(session: Session, request: SettlingRequest): Promise<boolean> {
  const sql = `SELECT 1 FROM ${quoteTable(request.table.ref)} LIMIT 1 ${session.server.lockClause}`
  try {
    await session.link.rows(sql, { ...request, expectedErrnos: [...REFUSALS, ...UNUSABLE] })
    return true
  } catch (error) {
    const errno = errnoOf(error)
    if (errno !== undefined && REFUSALS.includes(errno)) return true
    if (errno !== undefined && UNUSABLE.includes(errno)) return false
    throw error
  }
}

/** Before MySQL 8.0.22 a share lock needs one of UPDATE, DELETE and LOCK TABLES, of which the last changes no row. */
async function lockDenied(session: Session, request: SettlingRequest): Promise<Finding> {
  const { schema } = request.table.ref
  return {
    id: 'lock-denied', severity: 'warning', message: 'The source user may read the table but not share-lock its rows.',
    sql: `GRANT LOCK TABLES ON ${schema === undefined ? '*' : quoteIdentifier(schema)}.* TO ${await currentUser(session, request)};`,
  }
}
