import { systemRuntime, type Replicator } from '@tidemark/core'
import { churnRows, createChurn, type ChurnRows } from '../fixtures/churn.ts'
import { openReplica, type Replica } from '../fixtures/replica.ts'
import { replicate } from '../fixtures/replicate.ts'
import type { SourceFixture } from '../fixtures/source-fixture.ts'
import { startWorker } from '../fixtures/worker.ts'
import type { PausedWorkerInput } from './paused-worker.ts'

/** Where the first worker is stopped: behind a call of the source, or behind a wait. */
export const PAUSE_POINTS = ['connect', 'describeTable', 'readHighMark', 'sleep', 'streamRows', 'next', 'readRows', 'readRowsByKey'] as const
export type PausePoint = (typeof PAUSE_POINTS)[number]

export interface TwoWorkersOutcome {
  /** How the second worker fared while the lease ran. */
  readonly refused: { readonly code: unknown; readonly skipped: number }
  /** How the paused sync ended once it went on, and the next one of the same worker. */
  readonly continued: string
  readonly next: string
  /** Everything in the file but the run log, before and after the paused worker went on. */
  readonly before: string
  readonly after: string
  /** After the second worker's last sync. */
  readonly end: ChurnRows
  readonly integrity: string
}

const LEASE_TTL_MS = 60_000

/**
 * The first worker is stopped by SIGSTOP in the middle of a sync. The second is refused until the lease has run out by
 * its own clock, then takes over and gets halfway. The first goes on, by whose clock the lease still runs: only the
 * fence in its writes can tell it.
 */
export async function twoWorkers(source: SourceFixture, pauseAt: PausePoint): Promise<TwoWorkersOutcome> {
  using replica = openReplica()
  await createChurn(source, 3_000)
  const input: PausedWorkerInput = { url: source.url, path: replica.path, pauseAt, leaseTtlMs: LEASE_TTL_MS }
  await using first = startWorker('paused-worker.ts', { input })
  await first.message()
  await source.execute(`UPDATE churn SET n = -1, updated_at = ${source.sql.now} WHERE id > 2900`)
  await source.execute('DELETE FROM churn WHERE id <= 50')
  first.tell('begin')
  await first.message()
  first.process.kill('SIGSTOP')
  const refused = await takeOver(source, replica)
  const before = contents(replica)
  first.process.kill('SIGCONT')
  first.tell('go on')
  const continued = await first.message<string>()
  const after = contents(replica)
  await using second = openSecond(source, replica, () => LEASE_TTL_MS + 1)
  await second.syncNow('churn', { reconcile: pauseAt === 'readRowsByKey' || pauseAt === 'readRows' })
  const end = await churnRows(source, replica)
  first.tell('again')
  const next = await first.message<string>()
  return { refused, continued, next, before, after, end, integrity: replica.integrity() }
}

function openSecond(source: SourceFixture, replica: Replica, aheadMs: () => number): Replicator {
  const runtime = { ...systemRuntime(), now: () => Date.now() + aheadMs() }
  return replicate(source, replica, {
    table: 'churn', trackingColumn: 'updated_at', reconcile: false,
    replicator: { instance: 'second', leaseTtlMs: LEASE_TTL_MS, slice: { rows: 700 }, runtime },
  })
}

/** Refused, then allowed; a load is left halfway, anything else is finished. */
async function takeOver(source: SourceFixture, replica: Replica): Promise<TwoWorkersOutcome['refused']> {
  let aheadMs = 0
  await using second = openSecond(source, replica, () => aheadMs)
  let skipped = 0
  second.on('sync:skipped', () => { skipped += 1 })
  const error: unknown = await second.syncNow('churn').catch((caught: unknown) => caught)
  aheadMs = LEASE_TTL_MS + 1
  const halfway = new AbortController()
  second.on('sync:progress', ({ phase, rows }) => {
    if (phase === 'load' && rows > 1_000) halfway.abort()
  })
  await second.syncNow('churn', { signal: halfway.signal }).catch(() => undefined)
  return { code: (error as { readonly code?: unknown }).code, skipped }
}

/** Whatever the file holds, but for the log of runs, in which a refused worker may tell of itself. */
function contents(replica: Replica): string {
  const tables = replica.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '%_logs' ORDER BY name")
  return JSON.stringify(tables.map(([name]) => [name, replica.rows(`SELECT * FROM "${name ?? ''}" ORDER BY 1`)]))
}
