import type { ColumnSchema, DiagnoseRequest, Finding } from '@tidemark/core/adapter'
import { catalogueFacts } from './diagnose/catalogue-facts.ts'
import { currentUser } from './diagnose/current-user.ts'
import { keyFindings } from './diagnose/key-findings.ts'
import { settlingFindings } from './diagnose/settling-findings.ts'
import { trackingFindings } from './diagnose/tracking-findings.ts'
import { errnoOf } from './errors.ts'
import type { RunOptions } from './mysql-link.ts'
import type { Session } from './open-session.ts'
import type { ProofKinds } from './proof.ts'
import { quoteTable } from './quote.ts'
import { parseSourceType } from './source-type.ts'

const SELECT_DENIED = [1044, 1142, 1143]

/** What may go wrong with a table, each with the statement that mends it where there is one. Reads, never changes. */
export async function diagnose(session: Session, kinds: ProofKinds, request: DiagnoseRequest & RunOptions): Promise<readonly Finding[]> {
  const denied = await selectDenied(session, request)
  if (denied !== undefined) return [denied]
  const facts = await catalogueFacts(session, request.table, request)
  return [
    ...keyFindings(request.table, facts),
    ...request.table.columns.flatMap(columnFindings),
    ...trackingFindings(request.table, request.tracking, facts),
    ...await settlingFindings(session, kinds, { ...request, facts }),
  ]
}

async function selectDenied(session: Session, request: DiagnoseRequest & RunOptions): Promise<Finding | undefined> {
  const table = quoteTable(request.table.ref)
  try {
    await session.link.rows(`SELECT * FROM ${table} LIMIT 0`, { ...request, expectedErrnos: SELECT_DENIED })
    return undefined
  } catch (error) {
    if (!SELECT_DENIED.includes(errnoOf(error) ?? 0)) throw error
    return {
      id: 'select-denied', severity: 'error', message: 'The source user may not read the whole table.',
      sql: `GRANT SELECT ON ${table} TO ${await currentUser(session, request)};`,
    }
  }
}

function columnFindings(column: ColumnSchema): readonly Finding[] {
  const type = parseSourceType(column.sourceType)
  if (type.base !== 'bigint' || !type.isUnsigned || column.logicalType !== 'integer') return []
  return [{
    id: 'unsigned-may-overflow', severity: 'info',
    message: `Column ${column.name} is BIGINT UNSIGNED: a value above 9223372036854775807 stops the copy unless the column is overridden with type 'decimal' or 'text'.`,
  }]
}

