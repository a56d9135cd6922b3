import { Replicator, type SourceDialect, type TargetDialect } from '@tidemark/core'
import type { Replication, SyncResult } from '@tidemark/core'

/** One sync of one table, by a replicator that lives as long. */
export async function replicate(source: SourceDialect, target: TargetDialect, options: Omit<Replication, 'name' | 'source'>): Promise<SyncResult> {
  await using replicator = new Replicator({ target, replications: [{ name: 'copy', source, settleGraceMs: 0, ...options }] })
  // Awaited here: the replicator stops when this function returns.
  return await replicator.syncNow('copy')
}
