import { TidemarkError } from '@tidemark/core/adapter'
import type { BatchTransaction } from '../driver.ts'
import { quote } from '../quote.ts'
import type { PeerNames } from './peer-names.ts'
import type { PeerShape, PeerTrigger } from './peer-shape.ts'
import type { SqlitePropagationHost } from './sqlite-propagation-target.ts'

/**
 * Runs `work` without the application's triggers on these tables: what they wrote at the sender comes as rows of its own, and would be
 * doubled. Dropped and made again in the same transaction, so that nobody else ever sees them missing. Costs a few schema writes where a
 * table has triggers and nothing where it has none.
 *
 * SQLite fires the youngest trigger first: those that are younger than the first of the application's are made again too, in their order.
 */
export async function withoutTriggers(transaction: BatchTransaction, shapes: readonly PeerShape[], options: { readonly names: PeerNames; readonly work: () => Promise<void> }): Promise<void> {
  const { names, work } = options
  const isUsers = (trigger: PeerTrigger): boolean => isOfApplication(trigger, names)
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

function isOfApplication({ name, isLog }: PeerTrigger, names: PeerNames): boolean {
  return !isLog && !name.startsWith(names.guard)
}

/** Where triggers can't be suspended, one of the application's keeps the table from being followed. */
export function triggerFault(shape: PeerShape | undefined, { names, host }: { readonly names: PeerNames; readonly host: Pick<SqlitePropagationHost, 'keepsTriggers'> }): TidemarkError | undefined {
  if (host.keepsTriggers !== true || shape?.triggers.some((trigger) => isOfApplication(trigger, names)) !== true) return undefined
  return new TidemarkError('PEER_SCHEMA_DIFFERS', `The table '${shape.name}' has a trigger here, which would do again what the sender's has done.`, { remedy: 'Drop the trigger on the peer: what it wrote at the sender comes as rows.' })
}
