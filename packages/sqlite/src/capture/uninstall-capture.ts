import type { SqliteTransaction } from '../driver.ts'
import { quote } from '../quote.ts'
import { readLayouts, retireLayout } from './layouts.ts'
import { layoutOfTrigger, type LogNames } from './log-names.ts'
import { dropLogTables, readLogState, writeMark } from './log-schema.ts'

/**
 * Takes capturing off the given tables, or off all and the log with it: then the schema is as if it had never been.
 * Errors: `LOG_NOT_OWNED`.
 */
export async function uninstallCapture(transaction: SqliteTransaction, names: LogNames, tables?: readonly string[]): Promise<void> {
  const state = await readLogState(transaction, names)
  if (state === undefined) return
  const chosen = tables === undefined ? undefined : new Set(tables.map((table) => table.toLowerCase()))
  for (const { layout, isCurrent } of await readLayouts(transaction, names)) {
    if (!isCurrent || chosen?.has(layout.table.toLowerCase()) === false) continue
    await dropTriggers(transaction, names, layout.id)
    await retireLayout(transaction, names, layout.id)
    // Whoever reads on must know that nothing comes from this table any more.
    await writeMark(transaction, names, { layoutId: layout.id, kind: 'dropped', text: layout.table })
  }
  if (chosen === undefined) await dropLogTables(transaction, names)
}

export async function dropTriggers(transaction: SqliteTransaction, names: LogNames, layoutId: number): Promise<void> {
  const rows = await transaction.query(`SELECT name FROM sqlite_master WHERE type = 'trigger'`)
  for (const [name] of rows) {
    if (layoutOfTrigger(names, String(name)) === layoutId) await transaction.run(`DROP TRIGGER ${quote(String(name))}`)
  }
}
