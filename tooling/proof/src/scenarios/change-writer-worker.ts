import { DatabaseSync } from 'node:sqlite'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { Workload, writeTransaction } from '../fixtures/change-workload.ts'
import { report, workerInput } from '../fixtures/worker.ts'
import { seededRandom } from '../seed.ts'

export interface ChangeWriterInput {
  readonly path: string
  readonly seed: number
  readonly keys: number
  readonly statements?: number | undefined
  /** Between two transactions. `told`: one transaction for each message `go`, so that a slow reader is not buried. */
  readonly pauseMs: number | 'told'
}

export interface ChangeWriterReport {
  readonly committed: number
  readonly rolledBack: number
}

/** Writes until it is told to stop, or killed. */
async function main({ path, seed, keys, pauseMs, statements }: ChangeWriterInput): Promise<ChangeWriterReport> {
  using database = new DatabaseSync(path, { timeout: 30_000 })
  database.exec(`PRAGMA synchronous = NORMAL; PRAGMA recursive_triggers = ${seed % 2}`)
  const workload = new Workload({ random: seededRandom(seed), keys, statements })
  const turns = new Turns(pauseMs)
  await report('ready')
  let [committed, rolledBack] = [0, 0]
  while (await turns.next()) {
    if (writeTransaction(database, workload)) committed += 1
    else rolledBack += 1
  }
  return { committed, rolledBack }
}

class Turns {
  readonly #pauseMs: ChangeWriterInput['pauseMs']
  #told = 0
  #isStopped = false
  #wake = (): void => undefined

  constructor(pauseMs: ChangeWriterInput['pauseMs']) {
    this.#pauseMs = pauseMs
    process.on('message', (message) => {
      if (message === 'go') this.#told += 1
      else this.#isStopped = true
      this.#wake()
    })
  }

  /** Resolves to false once there is no other. */
  async next(): Promise<boolean> {
    if (this.#pauseMs !== 'told') await (this.#pauseMs > 0 ? setTimeout(this.#pauseMs) : setImmediate())
    else while (this.#told === 0 && !this.#isStopped) await new Promise<void>((resolve) => { this.#wake = resolve })
    this.#told -= 1
    return !this.#isStopped
  }
}

await report(await main(workerInput<ChangeWriterInput>()))
process.disconnect()
