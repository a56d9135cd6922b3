import { Replicator } from '@tidemark/core'
import { nodeSqliteTarget } from '@tidemark/node'
import { postgresSource } from '@tidemark/postgres'

const [sourceTable, trackingColumn = 'updated_at', path = 'replica.db'] = process.argv.slice(2)
if (sourceTable === undefined) {
  process.stderr.write('Usage: DATABASE_URL=postgres://… pnpm start TABLE [TRACKING_COLUMN] [FILE]\n')
  process.exit(2)
}

const replicator = new Replicator({
  target: nodeSqliteTarget({ path }),
  replications: [{
    name: 'example',
    source: postgresSource({ url: { env: 'DATABASE_URL' } }),
    sourceTable,
    trackingColumn,
    syncIntervalMinutes: 1 / 6,
  }],
})

replicator.on('sync:progress', ({ phase, rows, estimatedRows }) => {
  if (phase === 'load') say(`loaded ${rows} of about ${estimatedRows ?? '?'} rows`)
})
replicator.on('sync:success', ({ rows, durationMs }) => say(`${rows} rows changed, ${durationMs} ms`))
replicator.on('sync:error', ({ error }) => say(`${error.code}: ${error.message} ${error.remedy}`))
replicator.on('reconcile:success', ({ healedRows }) => say(`reconciled, ${healedRows} rows healed`))

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // The slice in flight is committed first; what follows it is read by the next run.
  process.once(signal, () => void replicator.stop())
}

// What is wrong with the table or its tracking column, before anything is copied.
for (const { findings } of await replicator.doctor()) {
  for (const { message } of findings) say(message)
}
await replicator.start()

function say(line: string): void {
  process.stdout.write(`${new Date().toISOString()} ${line}\n`)
}
