import { throwIfAborted, type RunStatementsOutcome, type RunStatementsRequest } from '@tidemark/core/adapter'
import { sqliteError } from '../errors.ts'
import type { ImportDriver } from './import-driver.ts'
import { countedImportProgress, makeProgressTable, requireImportProgress } from './import-progress.ts'
import { isPragma, notForDumps, statementRole } from './statement-role.ts'

/**
 * All of the statements and the progress, or nothing, without BEGIN. What a dump asks of a file or of a connection by PRAGMA has no place on these hosts, and is
 * left out.
 */
export async function runStatementBatch(driver: ImportDriver, { statements, progress, signal }: RunStatementsRequest): Promise<RunStatementsOutcome> {
  throwIfAborted(signal)
  const refused = statements.find(({ sql }) => statementRole(sql) === 'refuse')
  if (refused !== undefined) return { kind: 'refused', statement: refused, error: notForDumps() }
  const run = statements.filter(({ sql }) => statementRole(sql) === 'run' && !isPragma(sql))
  const texts = run.map(({ sql }) => sql)
  try {
    return { kind: 'done', rows: await runAll(driver, progress, texts) }
  } catch (error) {
    const mapped = sqliteError(error)
    // What passes by itself, or would befall any statement, is not these ones' fault.
    if (mapped.retryable || mapped.code === 'LEASE_LOST') throw mapped
    const failing = await driver.firstFailing(texts)
    const statement = failing === undefined ? undefined : run[failing.index]
    if (failing === undefined || statement === undefined) throw mapped
    return { kind: 'refused', statement, error: failing.error }
  }
}

/** Returns how many rows were changed. */
async function runAll(driver: ImportDriver, progress: RunStatementsRequest['progress'], texts: readonly string[]): Promise<number> {
  let changed = 0
  const { write, correct } = countedImportProgress(progress)
  const counted = (rows: number): number => {
    changed = rows
    return rows
  }
  await driver.transaction(async (transaction) => {
    await requireImportProgress(transaction, progress)
    await makeProgressTable(transaction)
    for (const sql of texts) await transaction.run(sql)
    transaction.runCounting({ write: (rows) => write(counted(rows)), correct: (rows) => correct(counted(rows)) })
  })
  return changed
}
