import { once } from 'node:events'
import { Replicator, systemRuntime, TidemarkError, type Runtime } from '@tidemark/core'
import { nodeSqliteTarget } from '@tidemark/node'
import { hookedSource } from '../fixtures/hooked-source.ts'
import { sourceOfUrl } from '../fixtures/source-of-url.ts'
import { report, workerInput } from '../fixtures/worker.ts'
import type { PausePoint } from './two-workers.ts'

export interface PausedWorkerInput {
  readonly url: string
  readonly path: string
  readonly pauseAt: PausePoint
  readonly leaseTtlMs: number
}

/** Syncs, stands still at one point of it until it is told to go on, reports how that sync ended, and syncs once more. */
async function main({ url, path, pauseAt, leaseTtlMs }: PausedWorkerInput): Promise<void> {
  let isArmed = false
  const pause = async (point: string): Promise<void> => {
    if (!isArmed || point !== pauseAt) return
    isArmed = false
    const goOn = once(process, 'message')
    await report('paused')
    await goOn
  }
  const system = systemRuntime()
  const runtime: Runtime = { ...system, sleep: async (delayMs, signal) => {
    await system.sleep(delayMs, signal)
    await pause('sleep')
  } }
  await using replicator = new Replicator({
    target: nodeSqliteTarget({ path }),
    instance: 'first',
    leaseTtlMs,
    runtime,
    slice: { rows: 700 },
    replications: [{ name: 'churn', source: hookedSource(sourceOfUrl(url), pause), sourceTable: 'churn', trackingColumn: 'updated_at', schedule: 'manual', reconcile: false }],
  })
  if (pauseAt === 'readRows' || pauseAt === 'readRowsByKey') await replicator.syncNow('churn')
  const begin = once(process, 'message')
  await report('ready')
  await begin
  isArmed = true
  await report(await outcomeOf(replicator.syncNow('churn', { reconcile: pauseAt === 'readRowsByKey' })))
  await once(process, 'message')
  await report(await outcomeOf(replicator.syncNow('churn', { reconcile: true })))
}

/** `ok`, or the error's code. */
async function outcomeOf(sync: Promise<unknown>): Promise<string> {
  return sync.then(() => 'ok', (error: unknown) => (error instanceof TidemarkError ? error.code : String(error)))
}

await main(workerInput<PausedWorkerInput>())
process.disconnect()
