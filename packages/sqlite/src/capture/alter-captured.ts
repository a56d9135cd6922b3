import { TidemarkError, type AbortOptions } from '@tidemark/core/adapter'
import type { BatchTransaction } from '../driver.ts'
import { quote } from '../quote.ts'
import { readLayouts, type StoredLayout } from './layouts.ts'
import { logAnew } from './log-anew.ts'
import type { LogSession } from './log-session.ts'
import { readTriggers } from './read-capture.ts'
import type { SqliteChangeSettings } from './sqlite-change-settings.ts'
import { syncCapture } from './sync-capture.ts'
import { dropTriggers } from './uninstall-capture.ts'

export interface AlterRequest extends AbortOptions {
  readonly statements: readonly string[]
}

/**
 * Runs the statements and brings capturing in line with what they did, in one transaction: no write can come between, and if one
 * of them fails nothing has happened.
 */
export async function alterCaptured(session: LogSession, settings: SqliteChangeSettings, request: AlterRequest): Promise<void> {
  const sync = { tables: [], isRunning: true, epoch: settings.epoch(), verified: 0 }
  await session.write(async (transaction) => {
    const { unknown } = await syncCapture(transaction, settings, sync)
    const before = (await readLayouts(transaction, settings.names)).filter(({ isCurrent }) => isCurrent)
    const rebuilt = await runStatements(transaction, settings, { statements: request.statements, before })
    await syncCapture(transaction, settings, { ...sync, tables: rebuilt })
    const again = new Set([...unknown.map(({ table }) => table), ...rebuilt])
    for (const { layout, isCurrent } of await readLayouts(transaction, settings.names)) {
      if (isCurrent && again.has(layout.table)) await logAnew(transaction, settings.names, layout)
    }
  }, request)
}

interface RunRequest {
  readonly statements: readonly string[]
  readonly before: readonly StoredLayout[]
}

/** Returns the captured tables that were made anew. */
async function runStatements(transaction: BatchTransaction, settings: SqliteChangeSettings, { statements, before }: RunRequest): Promise<readonly string[]> {
  for (const sql of statements) await runStatement(transaction, settings, { sql, before })
  const rebuilt: string[] = []
  for (const { layout } of before) {
    if (await hasTriggers(transaction, settings, layout.id)) continue
    const found = await transaction.query(`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?`, [layout.table])
    if (found.length === 0) continue
    rebuilt.push(layout.table)
    await transaction.run(`UPDATE ${settings.names.layouts} SET is_current = 0 WHERE id = ?`, [layout.id])
  }
  return rebuilt
}

/** With the triggers in place first: so SQLite renames columns and tables in them. What it then refuses is run without. */
async function runStatement(transaction: BatchTransaction, settings: SqliteChangeSettings, { sql, before }: { readonly sql: string; readonly before: readonly StoredLayout[] }): Promise<void> {
  const isDone = transaction.attempt === undefined ? await attempt(transaction, sql) : await transaction.attempt(sql)
  if (!isDone) await withoutTriggers(transaction, settings, { sql, before })
}

async function attempt(transaction: BatchTransaction, sql: string): Promise<boolean> {
  await transaction.run('SAVEPOINT tidemark_alter')
  try {
    await transaction.run(sql)
    return true
  } catch (error) {
    await transaction.run('ROLLBACK TO tidemark_alter')
    if (!(error instanceof TidemarkError)) throw error
    return false
  } finally {
    await transaction.run('RELEASE tidemark_alter')
  }
}

/** Drops the triggers of the tables that the statement may mean, runs it, and makes them again for the tables as they are then. */
async function withoutTriggers(transaction: BatchTransaction, settings: SqliteChangeSettings, { sql, before }: { readonly sql: string; readonly before: readonly StoredLayout[] }): Promise<void> {
  const triggers = await readTriggers(transaction, settings.names)
  for (const { layout } of before) await dropTriggers(transaction, triggers, layout.id)
  await transaction.run(sql)
  for (const { layout } of before) await keepFollowing(transaction, settings, layout)
}

async function hasTriggers(transaction: BatchTransaction, settings: SqliteChangeSettings, layoutId: number): Promise<boolean> {
  const rows = await transaction.query(`SELECT name FROM sqlite_master WHERE type = 'trigger'`)
  return rows.some(([name]) => String(name).startsWith(`${settings.names.prefix}_log_${layoutId}_`))
}

/** A trigger that does nothing but stand for the layout until it is made anew. */
async function keepFollowing(transaction: BatchTransaction, settings: SqliteChangeSettings, layout: StoredLayout['layout']): Promise<void> {
  const found = await transaction.query(`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?`, [layout.table])
  if (found.length === 0) return
  await transaction.run(`CREATE TRIGGER ${quote(`${settings.names.prefix}_log_${layout.id}_insert`)} AFTER INSERT ON ${quote(layout.table)} BEGIN SELECT 1; END`)
}
