import { Replicator } from '@tidemark/core'
import { nodeSqliteTarget } from '@tidemark/node'
import { sourceOfUrl } from '../fixtures/source-of-url.ts'

/** A process that syncs without pause until it is killed. Small slices: a kill should find it between two commits. */
async function main(url: string, path: string): Promise<void> {
  const replicator = new Replicator({
    target: nodeSqliteTarget({ path }),
    instance: 'worker',
    slice: { rows: 1_500 },
    replications: [{ name: 'churn', source: sourceOfUrl(url), sourceTable: 'churn', trackingColumn: 'updated_at', schedule: 'manual', reconcile: { intervalMinutes: 0.001, budgetMs: 40 } }],
  })
  process.stdout.write('ready\n')
  for (;;) await replicator.syncNow('churn')
}

await main(process.argv[2] ?? '', process.argv[3] ?? '')
