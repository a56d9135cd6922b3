import { TidemarkError, type ExportSelection } from '@tidemark/core/adapter'
import { errnoOf } from '../errors.ts'
import type { RunOptions } from '../mysql-link.ts'
import type { Session } from '../open-session.ts'
import { quoteIdentifier } from '../quote.ts'
import { readExportCatalogue } from './export-catalogue.ts'
import { selectRelations } from './select-relations.ts'

/** Of a column or function that is not there, a syntax error, and their like. */
const CONDITION_ERRORS: ReadonlySet<number | undefined> = new Set([1054, 1064, 1149, 1305, 1582])

/**
 * A condition that the server does not understand is found before anything is copied, and before there is a transaction, in which
 * the table would then stay locked against being altered. Errors: `CONFIG_INVALID`, `TABLE_UNKNOWN`, `NOTHING_SELECTED`.
 */
export async function checkConditions(session: Session, selection: ExportSelection, options: RunOptions): Promise<void> {
  for (const { name, where } of selectRelations(await readExportCatalogue(session, options), selection)) {
    if (where !== undefined) await checkCondition(session, { name, where }, options)
  }
}

async function checkCondition({ link }: Session, { name, where }: { readonly name: string; readonly where: string }, options: RunOptions): Promise<void> {
  try {
    await link.rows(`SELECT 1 FROM ${quoteIdentifier(name)} WHERE (${where}\n) LIMIT 0`, options)
  } catch (error) {
    throw CONDITION_ERRORS.has(errnoOf(error)) ? notUnderstood(name, error) : error
  }
}

function notUnderstood(table: string, cause: unknown): TidemarkError {
  const message = `The server does not understand the condition on table ${table}.`
  return new TidemarkError('CONFIG_INVALID', message, { cause, issues: [{ path: `tables.${table}.where`, message }] })
}
