import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { churnRows, createChurn, startChurn, type ChurnOptions, type ChurnRows } from '../fixtures/churn.ts'
import type { Replica } from '../fixtures/replica.ts'
import { replicate } from '../fixtures/replicate.ts'
import type { SourceFixture } from '../fixtures/source-fixture.ts'

export interface KillLoopOptions extends ChurnOptions {
  readonly kills: number
}

export interface KillLoopOutcome extends ChurnRows {
  readonly kills: number
  readonly writes: number
  readonly integrity: string
}

const WORKER = fileURLToPath(new URL('sync-worker.ts', import.meta.url))

/** The syncing process is killed at random while a writer inserts, updates and deletes; the last one is left to finish. */
export async function killLoop(source: SourceFixture, replica: Replica, options: KillLoopOptions): Promise<KillLoopOutcome> {
  await createChurn(source, options.rows)
  const writer = startChurn(source, options)
  for (let kill = 0; kill < options.kills; kill += 1) await runAndKill(source.url, replica.path, options.random)
  const writes = await writer.stop()
  await using replicator = replicate(source, replica, { table: 'churn', trackingColumn: 'updated_at', replicator: { instance: 'worker', slice: { rows: 1_500 } } })
  await replicator.syncNow('churn', { reconcile: true })
  return { kills: options.kills, writes, ...await churnRows(source, replica), integrity: replica.integrity() }
}

/** Waits until the worker is up, so that the kill falls into its work and not into the start of the runtime. */
async function runAndKill(url: string, path: string, random: () => number): Promise<void> {
  const worker = spawn(process.execPath, ['--conditions=tidemark-source', '--disable-warning=ExperimentalWarning', WORKER, url, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  await firstLine(worker)
  const killed = once(worker, 'exit')
  setTimeout(() => worker.kill('SIGKILL'), random() * 150)
  const [code, signal] = await killed as [number | null, string | null]
  if (signal !== 'SIGKILL') throw new Error(`The worker ended by itself with code ${code}.`)
}

async function firstLine(worker: ChildProcess): Promise<void> {
  const early = once(worker, 'exit').then(([code]) => { throw new Error(`The worker ended by itself with code ${String(code)}.`) })
  await Promise.race([worker.stdout === null ? Promise.resolve() : once(worker.stdout, 'data'), early])
  early.catch(() => undefined)
}
