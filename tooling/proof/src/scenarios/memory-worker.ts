import { once } from 'node:events'
import { Replicator, TidemarkError, type SyncResult } from '@tidemark/core'
import { nodeSqliteTarget } from '@tidemark/node'
import { sourceOfUrl } from '../fixtures/source-of-url.ts'
import { report, workerInput } from '../fixtures/worker.ts'

export interface MemoryWorkerInput {
  readonly url: string
  readonly path: string
}

export interface MemoryReport {
  /** `ok`, or the error's code. */
  readonly outcome: string
  readonly rowsRead: number
  readonly rows: number
  readonly durationMs: number
  /** Greatest seen at the end of a slice, in megabytes. */
  readonly peakHeapMb: number
  readonly peakExternalMb: number
  readonly peakResidentMb: number
}

const MB = 1024 * 1024
const SAMPLE_MS = 10

/** Loads, polls and reconciles when told to, with default slices, and reports the memory that each took. */
async function main({ url, path }: MemoryWorkerInput): Promise<void> {
  await using replicator = new Replicator({
    target: nodeSqliteTarget({ path }),
    instance: 'memory',
    replications: [{ name: 'wide', source: sourceOfUrl(url), sourceTable: 'wide', trackingColumn: 'updated_at', schedule: 'manual', reconcile: false }],
  })
  for (const reconcile of [false, false, true]) {
    const begin = once(process, 'message')
    await report('ready')
    await begin
    await report(await measured(replicator, reconcile))
  }
}

async function measured(replicator: Replicator, reconcile: boolean): Promise<MemoryReport> {
  const peak = { peakHeapMb: 0, peakExternalMb: 0, peakResidentMb: 0 }
  const sample = (): void => {
    const { heapUsed, external, rss } = process.memoryUsage()
    peak.peakHeapMb = Math.max(peak.peakHeapMb, Math.round(heapUsed / MB))
    peak.peakExternalMb = Math.max(peak.peakExternalMb, Math.round(external / MB))
    peak.peakResidentMb = Math.max(peak.peakResidentMb, Math.round(rss / MB))
  }
  const timer = setInterval(sample, SAMPLE_MS)
  const unsubscribe = replicator.on('sync:progress', sample)
  const result = await replicator.syncNow('wide', { reconcile }).catch((error: unknown) => error)
  unsubscribe()
  clearInterval(timer)
  if (result instanceof Error) return { outcome: result instanceof TidemarkError ? result.code : result.name, rowsRead: 0, rows: 0, durationMs: 0, ...peak }
  // What is not an error is the result.
  const { rowsRead, rows, durationMs } = result as SyncResult
  return { outcome: 'ok', rowsRead, rows, durationMs, ...peak }
}

await main(workerInput<MemoryWorkerInput>())
process.disconnect()
