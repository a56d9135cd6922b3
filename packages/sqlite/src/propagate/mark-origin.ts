import { relayedText, type RelayedFrom } from '@tidemark/core/adapter'
import { logNames, logOfTrigger } from '../capture/log-names.ts'
import { writeMark } from '../capture/log-schema.ts'
import { originText } from '../capture/origin-text.ts'
import type { BatchTransaction } from '../driver.ts'
import type { PeerShape } from './peer-shape.ts'

/**
 * Says in the change logs that capture these tables whose change is being applied: whoever reads them passes it on under its maker's name
 * and never back to it.
 */
export async function withOrigin(transaction: BatchTransaction, shapes: readonly PeerShape[], options: { readonly from: RelayedFrom; readonly sentBy: string; readonly work: () => Promise<void> }): Promise<void> {
  const { origin, detail } = relayedText(options.from, options.sentBy)
  const logs = [...new Set(shapes.flatMap(({ triggers }) => triggers.flatMap(({ name, isLog }) => (isLog ? logOfTrigger(name) ?? [] : []))))].map(logNames)
  for (const names of logs) await writeMark(transaction, names, { layoutId: 0, kind: 'origin', text: originText(origin, detail) })
  await options.work()
  for (const names of logs) await writeMark(transaction, names, { layoutId: 0, kind: 'origin-end' })
}
