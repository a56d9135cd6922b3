import { throwIfAborted, type ImportStatement, type RunStatementsOutcome, type RunStatementsRequest } from '@tidemark/core/adapter'
import type { SqliteDriver, SqliteTransaction } from '../driver.ts'
import { sqliteError } from '../errors.ts'
import { requireImportProgress, writeImportProgress } from './import-progress.ts'
import { notForDumps, statementRole, withLeave, type StatementRole } from './statement-role.ts'

/** Statements are run together up to this length: one call each would cost more than small ones themselves. */
const SCRIPT_LENGTH = 1_000_000

/** All of the statements and the progress, or nothing. */
export async function runStatements(driver: SqliteDriver, request: RunStatementsRequest): Promise<RunStatementsOutcome> {
  const { statements, signal } = request
  throwIfAborted(signal)
  const byRole = (wanted: StatementRole): readonly ImportStatement[] => statements.filter(({ sql }) => statementRole(sql) === wanted)
  const [refused] = byRole('refuse')
  if (refused !== undefined) return { kind: 'refused', statement: refused, error: notForDumps() }
  for (const { sql } of byRole('before')) await driver.execute(sql)
  const run = byRole('run')
  try {
    return { kind: 'done', rows: await inTransaction(driver, request, (transaction) => runTogether(transaction, run)) }
  } catch (error) {
    const mapped = sqliteError(error)
    // What passes by itself, or would befall any statement, is not this one's fault.
    if (mapped.retryable || run.length === 0) throw mapped
  }
  return runSingly(driver, request, run)
}

/** Again, to find the one that fails. It costs what the slice costs, once. */
async function runSingly(driver: SqliteDriver, request: RunStatementsRequest, statements: readonly ImportStatement[]): Promise<RunStatementsOutcome> {
  let at: ImportStatement | undefined
  try {
    const rows = await inTransaction(driver, request, async (transaction) => {
      for (const statement of statements) {
        at = statement
        await transaction.script(withLeave(statement.sql))
      }
      at = undefined
    })
    return { kind: 'done', rows }
  } catch (error) {
    const mapped = sqliteError(error)
    if (mapped.retryable || at === undefined) throw mapped
    return { kind: 'refused', statement: at, error: mapped }
  }
}

/** Returns how many rows were changed. */
function inTransaction(driver: SqliteDriver, { progress }: RunStatementsRequest, work: (transaction: SqliteTransaction) => Promise<void>): Promise<number> {
  return driver.transaction(async (transaction) => {
    await requireImportProgress(transaction, progress)
    const before = await totalChanges(transaction)
    await work(transaction)
    const rows = await totalChanges(transaction) - before
    await writeImportProgress(transaction, progress, rows)
    return rows
  })
}

async function runTogether(transaction: SqliteTransaction, statements: readonly ImportStatement[]): Promise<void> {
  let script = ''
  for (const { sql } of statements) {
    script += `${withLeave(sql)};`
    if (script.length < SCRIPT_LENGTH) continue
    await transaction.script(script)
    script = ''
  }
  if (script !== '') await transaction.script(script)
}

async function totalChanges(transaction: SqliteTransaction): Promise<number> {
  return Number((await transaction.query('SELECT total_changes()'))[0]?.[0])
}
