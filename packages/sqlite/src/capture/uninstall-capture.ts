import type { BatchTransaction } from '../driver.ts'
import { quote } from '../quote.ts'
import { readLayouts, retireLayout } from './layouts.ts'
import type { LogNames } from './log-names.ts'
import { dropLogTables, readLogState, writeMark } from './log-schema.ts'
import { readTriggers, type Trigger } from './read-capture.ts'

/**
 * Takes capturing off the given tables, or off all and the log with it: then the schema is as if it had never been.
 * Errors: `LOG_NOT_OWNED`.
 */
export async function uninstallCapture(transaction: BatchTransaction, names: LogNames, tables?: readonly string[]): Promise<void> {
  const state = await readLogState(transaction, names)
  if (state === undefined) return
  const chosen = tables === undefined ? undefined : new Set(tables.map((table) => table.toLowerCase()))
  const layouts = await readLayouts(transaction, names)
  const triggers = await readTriggers(transaction, names)
  for (const { layout, isCurrent } of layouts) {
    if (!isCurrent || chosen?.has(layout.table.toLowerCase()) === false) continue
    await dropTriggers(transaction, triggers, layout.id)
    await retireLayout(transaction, names, layout.id)
    // Whoever reads on must know that nothing comes from this table any more.
    await writeMark(transaction, names, { layoutId: layout.id, kind: 'dropped', text: layout.table })
  }
  if (chosen === undefined) await dropLogTables(transaction, names)
}

export async function dropTriggers(transaction: Pick<BatchTransaction, 'run'>, triggers: readonly Trigger[], layoutId: number): Promise<void> {
  for (const { name, layoutId: of } of triggers) if (of === layoutId) await transaction.run(`DROP TRIGGER ${quote(name)}`)
}
