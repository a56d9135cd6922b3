import { ChangeStream, TidemarkError } from '@tidemark/core'
import { nodeSqliteStateStore, sqliteChanges } from '@tidemark/node'
import { report, workerInput } from '../fixtures/worker.ts'

export interface ChangeMemoryInput {
  readonly path: string
  readonly statePath: string
  /** How many rows will have been inserted: their ids are 1 to this. */
  readonly changes: number
}

export interface ChangeMemoryReport {
  readonly events: number
  /** Of the ids, to tell that each came. */
  readonly sum: number
  /** Changes whose id is not the next. */
  readonly disordered: number
  /** What ended the live subscriber that takes nothing. */
  readonly laggard: string
  readonly drainMs: number
  readonly peakHeapMb: number
  readonly peakExternalMb: number
  readonly peakResidentMb: number
}

const MB = 1024 * 1024
const SAMPLE_MS = 10

/** Two subscribers, a durable and a live one, take their first batch and no more; told to, the durable one takes the rest. */
async function main({ path, statePath, changes }: ChangeMemoryInput): Promise<ChangeMemoryReport> {
  const peak = { peakHeapMb: 0, peakExternalMb: 0, peakResidentMb: 0 }
  const timer = setInterval(() => {
    const { heapUsed, external, rss } = process.memoryUsage()
    peak.peakHeapMb = Math.max(peak.peakHeapMb, Math.round(heapUsed / MB))
    peak.peakExternalMb = Math.max(peak.peakExternalMb, Math.round(external / MB))
    peak.peakResidentMb = Math.max(peak.peakResidentMb, Math.round(rss / MB))
  }, SAMPLE_MS)
  await using checkpoints = nodeSqliteStateStore({ path: statePath })
  await using stream = new ChangeStream({ source: sqliteChanges({ path }, { tables: ['t'], busyTimeoutMs: 30_000 }), checkpoints })
  const go = new Promise<void>((resolve) => process.once('message', () => resolve()))
  let finish = (): void => undefined
  const finished = new Promise<void>((resolve) => { finish = resolve })
  let [events, sum, disordered] = [0, 0, 0]
  const subscription = await stream.subscribe({ id: 'durable' }, async (batch) => {
    await go
    for (const { key } of batch.events) {
      const id = Number(key?.['id'])
      events += 1
      sum += id
      if (id !== events) disordered += 1
    }
    if (events >= changes) finish()
  })
  const live = await stream.subscribe({ id: 'live', durable: false, graceMs: 0 }, () => new Promise<never>(() => undefined))
  await report('ready')
  const laggard = await live.done.then(() => 'stopped', (error: unknown) => (error instanceof TidemarkError ? error.code : 'uncoded'))
  await report('lagged')
  await go
  const startMs = performance.now()
  await Promise.race([finished, subscription.done])
  clearInterval(timer)
  return { events, sum, disordered, laggard, drainMs: Math.round(performance.now() - startMs), ...peak }
}

await report(await main(workerInput<ChangeMemoryInput>()))
process.disconnect()
