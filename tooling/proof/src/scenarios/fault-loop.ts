import { startFaultProxy, type FaultKind } from '@tidemark/test-servers'
import { churnRows, createChurn, startChurn, type ChurnOptions, type ChurnRows } from '../fixtures/churn.ts'
import type { Replica } from '../fixtures/replica.ts'
import type { SourceFixture } from '../fixtures/source-fixture.ts'
import { startWorker, type WorkerExit } from '../fixtures/worker.ts'
import type { FaultWorkerInput, FaultWorkerReport } from './fault-worker.ts'

export interface FaultLoopOptions extends ChurnOptions {
  readonly seed: number
  /** Faults that have to take effect before the end. */
  readonly cuts: number
  /** Silence of the source that is given up on; small, because a stall costs this much. */
  readonly queryTimeoutMs: number
}

export interface FaultLoopOutcome extends ChurnRows {
  /** Both sides after the last sync and before the last reconcile: only deleted rows may still differ. */
  readonly polled: ChurnRows
  readonly worker: FaultWorkerReport
  readonly exit: WorkerExit
  readonly faults: Readonly<Record<FaultKind, number>>
  readonly writes: number
  readonly integrity: string
}

/** What a broken network may look like to an application: every one of them can be tried again. */
export const EXPECTED_CODES = ['SOURCE_UNREACHABLE', 'SOURCE_BUSY', 'SOURCE_CORRUPT_RESULT', 'TIMEOUT'] as const

const PROGRESS_MS = 100

/** A process syncs through a proxy that breaks its connections while a writer changes the source behind it. */
export async function faultLoop(source: SourceFixture, replica: Replica, options: FaultLoopOptions): Promise<FaultLoopOutcome> {
  const { seed, queryTimeoutMs } = options
  await createChurn(source, options.rows)
  await using proxy = await startFaultProxy({
    target: source, seed, plan: { kinds: ['reset', 'reset', 'stall', 'fragment', 'refuse', 'delay'], share: 0.9, bytes: [1, 200_000], delayMs: [2, 15] },
  })
  const input: FaultWorkerInput = { url: proxy.through(source.url), path: replica.path, seed, queryTimeoutMs }
  await using worker = startWorker('fault-worker.ts', { input })
  await worker.message()
  const writer = startChurn(source, options)
  const synced = worker.message()
  const total = (): number => Object.values(proxy.counts).reduce((sum, count) => sum + count, 0)
  while (total() < options.cuts) await Promise.race([pause(), synced])
  const writes = await writer.stop()
  const faults = { ...proxy.counts }
  proxy.setPlan('none')
  worker.tell('finish')
  await synced
  const polled = await churnRows(source, replica)
  const finished = worker.message<FaultWorkerReport>()
  worker.tell('reconcile')
  const outcome = await finished
  return { polled, worker: outcome, exit: await worker.exit, faults, writes, ...await churnRows(source, replica), integrity: replica.integrity() }
}

/** The proxy counts without telling; looked at now and then. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PROGRESS_MS))
}
