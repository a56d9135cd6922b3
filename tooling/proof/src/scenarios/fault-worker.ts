import { once } from 'node:events'
import { Replicator, TidemarkError } from '@tidemark/core'
import { nodeSqliteTarget } from '@tidemark/node'
import { CallWatch, type OverdueCall } from '../fixtures/call-watch.ts'
import { sourceOfUrl } from '../fixtures/source-of-url.ts'
import { report, workerInput } from '../fixtures/worker.ts'
import { seededRandom } from '../seed.ts'

export interface FaultWorkerInput {
  /** The proxy's address. */
  readonly url: string
  readonly path: string
  readonly seed: number
  readonly queryTimeoutMs: number
}

export interface FaultWorkerReport {
  readonly syncs: number
  readonly succeeded: number
  readonly loads: number
  readonly retries: number
  /** How often each code was seen, as a rejection or as a retry. */
  readonly codes: Readonly<Record<string, number>>
  /** Rejections that were no `TidemarkError`, by name. */
  readonly uncoded: readonly string[]
  /** Rejections that nobody heard, by name and code. */
  readonly unhandled: readonly string[]
  readonly warnings: readonly string[]
  readonly overdue: readonly OverdueCall[]
  readonly calls: number
  readonly slowestMs: number
}

/**
 * Syncs again and again, in every way, until it is told that the faults are over; then once more, which must succeed.
 * Between that sync and a last reconcile it waits to be looked at: reconcile would heal what polls have lost.
 */
async function main(input: FaultWorkerInput): Promise<FaultWorkerReport> {
  const { seed, queryTimeoutMs } = input
  const unhandled: string[] = []
  const warnings: string[] = []
  process.on('unhandledRejection', (reason) => unhandled.push(nameOf(reason)))
  process.on('uncaughtException', (error) => unhandled.push(nameOf(error)))
  process.on('warning', (warning) => warnings.push(warning.name))
  using watch = new CallWatch(queryTimeoutMs)
  const codes: Record<string, number> = {}
  const uncoded: string[] = []
  const note = (code: string): void => void (codes[code] = (codes[code] ?? 0) + 1)
  await using replicator = openReplicator(input, watch)
  let [syncs, succeeded, loads, retries] = [0, 0, 0, 0]
  replicator.on('sync:retry', ({ error }) => {
    retries += 1
    note(error.code)
  })
  // The last slice of a load is told before the copy is renamed in.
  replicator.on('sync:progress', ({ phase }) => { loads += phase === 'load' ? 1 : 0 })
  let isOn = true
  process.once('message', () => { isOn = false })
  const random = seededRandom(seed)
  await report('ready')
  for (; isOn; syncs += 1) {
    try {
      await syncSomehow(replicator, random())
      succeeded += 1
    } catch (error) {
      if (error instanceof TidemarkError) note(error.code)
      else uncoded.push(nameOf(error))
    }
  }
  await replicator.syncNow('churn')
  const reconcile = once(process, 'message')
  await report('synced')
  await reconcile
  await replicator.reconcile('churn')
  const { overdue, calls, slowestMs } = watch
  return { syncs, succeeded, loads, retries, codes, uncoded, unhandled, warnings, overdue, calls, slowestMs }
}

function openReplicator({ url, path, queryTimeoutMs }: FaultWorkerInput, watch: CallWatch): Replicator {
  return new Replicator({
    target: nodeSqliteTarget({ path }),
    instance: 'worker',
    slice: { rows: 700 },
    retry: { attempts: 3, baseMs: 5, maxMs: 20 },
    replications: [{
      name: 'churn',
      source: watch.watch(sourceOfUrl(url, { queryTimeoutMs })),
      sourceTable: 'churn',
      trackingColumn: 'updated_at',
      schedule: 'manual',
      reconcile: false,
    }],
  })
}

function syncSomehow(replicator: Replicator, roll: number): Promise<unknown> {
  if (roll < 0.1) return replicator.resync('churn')
  if (roll < 0.2) return replicator.reconcile('churn')
  return replicator.syncNow('churn')
}

function nameOf(error: unknown): string {
  if (error instanceof TidemarkError) return `TidemarkError ${error.code}`
  return error instanceof Error ? `${error.name} ${error.stack ?? ''}` : typeof error
}

await report(await main(workerInput<FaultWorkerInput>()))
// The channel is all that may still keep this process alive.
process.disconnect()
