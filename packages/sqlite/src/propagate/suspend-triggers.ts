import type { BatchTransaction } from '../driver.ts'
import { quote } from '../quote.ts'
import type { PeerNames } from './peer-names.ts'
import type { PeerShape, PeerTrigger } from './peer-shape.ts'

/**
 * Runs `work` without the application's triggers on these tables: what they wrote at the sender comes as rows of its own, and would be
 * doubled. Dropped and made again in the same transaction, so that nobody else ever sees them missing. Costs a few schema writes where a
 * table has triggers and nothing where it has none.
 *
 * SQLite fires the youngest trigger first: those that are younger than the first of the application's are made again too, in their order.
 */
export async function withoutTriggers(transaction: BatchTransaction, shapes: readonly PeerShape[], options: { readonly names: PeerNames; readonly work: () => Promise<void> }): Promise<void> {
  const { names, work } = options
  const isUsers = ({ name, isLog }: PeerTrigger): boolean => !isLog && !name.startsWith(names.guard)
  const tables = shapes.filter(({ triggers }) => triggers.some(isUsers))
  for (const { triggers } of tables) {
    for (const trigger of triggers.filter(isUsers)) await transaction.run(`DROP TRIGGER ${quote(trigger.name)}`)
  }
  await work()
  for (const { triggers } of tables) {
    const younger = triggers.slice(triggers.findIndex(isUsers))
    for (const trigger of younger) if (!isUsers(trigger)) await transaction.run(`DROP TRIGGER ${quote(trigger.name)}`)
    for (const { sql } of younger) await transaction.run(sql)
  }
}
