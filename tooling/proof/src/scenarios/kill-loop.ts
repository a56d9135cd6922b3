import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Replica } from '../fixtures/replica.ts'
import { replicate } from '../fixtures/replicate.ts'
import type { SourceFixture } from '../fixtures/source-fixture.ts'

export interface KillLoopOptions {
  readonly kills: number
  readonly rows: number
  readonly random: () => number
}

export interface KillLoopOutcome {
  readonly kills: number
  readonly writes: number
  readonly source: readonly (readonly (string | null)[])[]
  readonly replica: readonly (readonly (string | null)[])[]
  readonly integrity: string
}

const WORKER = fileURLToPath(new URL('sync-worker.ts', import.meta.url))
const ALL_ROWS = 'SELECT id, label, n FROM churn ORDER BY id'

/** The syncing process is killed at random while a writer inserts, updates and deletes; the last one is left to finish. */
export async function killLoop(source: SourceFixture, replica: Replica, options: KillLoopOptions): Promise<KillLoopOutcome> {
  await createTable(source, options.rows)
  const writer = startWriter(source, options)
  for (let kill = 0; kill < options.kills; kill += 1) await runAndKill(source.url, replica.path, options.random)
  const writes = await writer.stop()
  await using replicator = replicate(source, replica, { table: 'churn', trackingColumn: 'updated_at', replicator: { instance: 'worker', slice: { rows: 1_500 } } })
  await replicator.syncNow('churn', { reconcile: true })
  return { kills: options.kills, writes, source: await source.rows(ALL_ROWS), replica: replica.rows(ALL_ROWS), integrity: replica.integrity() }
}

async function createTable(source: SourceFixture, rows: number): Promise<void> {
  await source.execute(`CREATE TABLE churn (id ${source.sql.identity}, label varchar(40) NOT NULL, n int NOT NULL, updated_at ${source.sql.timestamp} NOT NULL)`)
  await source.execute('CREATE INDEX churn_updated_at ON churn (updated_at)')
  const batch = 1_000
  for (let row = 0; row < rows; row += batch) {
    const values = Array.from({ length: batch }, (_, index) => `('row ${row + index}', ${index}, ${source.sql.now})`)
    await source.execute(`INSERT INTO churn (label, n, updated_at) VALUES ${values.join(', ')}`)
  }
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

function startWriter(source: SourceFixture, options: KillLoopOptions): { stop(): Promise<number> } {
  let isOn = true
  const done = (async () => {
    let writes = 0
    for (; isOn; writes += 1) await source.execute(randomChange(source, options))
    return writes
  })()
  return {
    stop: () => {
      isOn = false
      return done
    },
  }
}

function randomChange(source: SourceFixture, { random, rows }: KillLoopOptions): string {
  const id = Math.floor(random() * rows) + 1
  const { now } = source.sql
  const roll = random()
  if (roll < 0.4) return `INSERT INTO churn (label, n, updated_at) VALUES ('new', ${id}, ${now})`
  if (roll < 0.85) return `UPDATE churn SET n = n + 1, label = 'changed ${id}', updated_at = ${now} WHERE id = ${id}`
  return `DELETE FROM churn WHERE id = ${id}`
}
