import { DatabaseSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import { Workload, writeTransaction } from '../fixtures/change-workload.ts'
import { report, workerInput } from '../fixtures/worker.ts'
import { seededRandom } from '../seed.ts'

export interface ChangeWriterInput {
  readonly path: string
  readonly seed: number
  readonly keys: number
  /** Transactions per turn of the event loop; between two the writer pauses for `pauseMs`. */
  readonly pauseMs: number
}

export interface ChangeWriterReport {
  readonly committed: number
  readonly rolledBack: number
}

/** Writes until it is told to stop, or killed. */
async function main({ path, seed, keys, pauseMs }: ChangeWriterInput): Promise<ChangeWriterReport> {
  using database = new DatabaseSync(path, { timeout: 30_000 })
  database.exec(`PRAGMA synchronous = NORMAL; PRAGMA recursive_triggers = ${seed % 2}`)
  const workload = new Workload({ random: seededRandom(seed), keys })
  let isStopped = false
  process.once('message', () => { isStopped = true })
  await report('ready')
  let [committed, rolledBack] = [0, 0]
  while (!isStopped) {
    if (writeTransaction(database, workload)) committed += 1
    else rolledBack += 1
    await (pauseMs > 0 ? new Promise((resolve) => setTimeout(resolve, pauseMs)) : setImmediate())
  }
  return { committed, rolledBack }
}

await report(await main(workerInput<ChangeWriterInput>()))
process.disconnect()
