import { once } from 'node:events'
import { ChangeStream } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { postgresChanges } from '@tidemark/postgres'
import { LogicalReplicationService, PgoutputPlugin } from 'pg-logical-replication'
import type { ConsumerCommand, ConsumerMessage, PausedConsumerRequest } from './paused-consumer.ts'

/** The process of `PausedConsumer`. */
const request = JSON.parse(process.argv[2] ?? '{}') as PausedConsumerRequest // written by PausedConsumer
const MB = 1_000_000
const [resumed, drained] = [new AbortController(), new AbortController()]
const paused = once(resumed.signal, 'abort')
let [seen, wanted] = [0, Infinity]

function count(rows: number): void {
  seen += rows
  if (seen >= wanted) drained.abort()
}

function say(message: ConsumerMessage): void {
  process.send?.(message)
}

async function subscribeOurs({ url, slot, publication, table }: PausedConsumerRequest): Promise<void> {
  const stream = new ChangeStream({ source: postgresChanges({ url, slot, publication, tables: [table] }), checkpoints: memoryStateStore() })
  await stream.subscribe({ id: 'paused' }, async ({ events }) => {
    await paused
    count(events.length)
  })
}

/** With its flow control: without it the peer takes everything into memory. */
async function subscribePeer({ url, slot, publication }: PausedConsumerRequest): Promise<void> {
  const service = new LogicalReplicationService({ connectionString: url }, { acknowledge: { auto: true, timeoutSeconds: 10 }, flowControl: { enabled: true } })
  service.on('data', async (_lsn, { tag }: { readonly tag: string }) => {
    await paused
    if (tag === 'insert') count(1)
  })
  const started = new Promise<void>((resolve) => void service.on('start', () => resolve()))
  service.subscribe(new PgoutputPlugin({ protoVersion: 1, publicationNames: [publication] }), slot).catch(() => process.exit(1))
  await started
}

process.on('message', (command: ConsumerCommand) => {
  if (command.do === 'measure') {
    globalThis.gc?.()
    say({ said: 'memory', rssMb: Math.round(process.memoryUsage.rss() / MB) })
    return
  }
  wanted = command.rows
  resumed.abort()
  // The kernel's own high-water mark, in kilobytes.
  drained.signal.addEventListener('abort', () => say({ said: 'drained', rows: seen, peakRssMb: Math.round((process.resourceUsage().maxRSS * 1_024) / MB) }))
})
await (request.side === 'ours' ? subscribeOurs(request) : subscribePeer(request))
say({ said: 'ready' })
