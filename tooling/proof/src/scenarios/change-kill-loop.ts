import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { decodeCheckpoint, fromSequence, type CheckpointState } from '@tidemark/core/adapter'
import { nodeSqliteStateStore } from '@tidemark/node'
import { ChangeAuditor } from '../fixtures/change-auditor.ts'
import { integrityOf } from '../fixtures/change-cells.ts'
import { readJournal } from '../fixtures/change-copy.ts'
import { CHANGE_TABLE_NAMES, createChangeTables, differingTables } from '../fixtures/change-workload.ts'
import { startChangeWriters, stopChangeWriters, type ChangeWriterReport } from '../fixtures/change-writers.ts'
import { checkJournal, type JournalReport } from '../fixtures/journal-faults.ts'
import { startWorker, type Worker } from '../fixtures/worker.ts'
import type { ChangeConsumerInput } from './change-consumer-worker.ts'

export interface ChangeKillOptions {
  /** Each with a subscriber of its own, which comes late and begins with a snapshot. */
  readonly generations: number
  /** Of the consumer, per generation. */
  readonly kills: number
  readonly rows: number
  readonly random: () => number
  /** Writing processes at once. Default 1. */
  readonly writers?: number | undefined
  /** Default 48. */
  readonly batchEvents?: number | undefined
  readonly onGeneration?: (outcome: GenerationOutcome) => void
}

export interface GenerationOutcome extends JournalReport {
  readonly subscriber: string
  readonly kills: number
  /** Kills that found the log purged, or free to be purged, beyond the checkpoint. */
  readonly notHeld: readonly string[]
  /** Kills that found the snapshot incomplete. */
  readonly killsInSnapshot: number
  readonly writes: ChangeWriterReport
  /** Tables whose copy differs from the source, cell by cell. */
  readonly differing: readonly string[]
  readonly rows: number
}

export interface ChangeKillOutcome {
  readonly generations: readonly GenerationOutcome[]
  readonly integrity: string
}

const KEYS_PER_ROW = 1.3
const MAX_LIFE_MS = 600

/** A consumer is killed at random while others write; after each generation the last one is left to come to the log's end. */
export async function changeKillLoop(options: ChangeKillOptions): Promise<ChangeKillOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-proof-'))
  try {
    const path = join(folder, 'app.db')
    createChangeTables(path, options.rows)
    await using auditor = await ChangeAuditor.open(path)
    const generations: GenerationOutcome[] = []
    for (let number = 1; number <= options.generations; number += 1) {
      await using generation = new Generation({ ...options, folder, path, auditor, number })
      const outcome = await generation.run()
      options.onGeneration?.(outcome)
      generations.push(outcome)
    }
    return { generations, integrity: integrityOf(path) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface GenerationOptions extends ChangeKillOptions {
  readonly folder: string
  readonly path: string
  readonly auditor: ChangeAuditor
  readonly number: number
}

class Generation implements AsyncDisposable {
  readonly #options: GenerationOptions
  readonly #input: Omit<ChangeConsumerInput, 'run'>
  readonly #store: ReturnType<typeof nodeSqliteStateStore>
  readonly #checkpoints = new Map<number, CheckpointState | undefined>()
  readonly #notHeld: string[] = []
  #killsInSnapshot = 0

  constructor(options: GenerationOptions) {
    this.#options = options
    const { folder, path, number } = options
    const statePath = join(folder, 'state.db')
    this.#store = nodeSqliteStateStore({ path: statePath, busyTimeoutMs: 30_000 })
    this.#input = { path, statePath, copyPath: join(folder, `copy-${number}.db`), subscriber: `subscriber-${number}`, batchEvents: options.batchEvents ?? 64, until: `end-${number}` }
  }

  async run(): Promise<GenerationOutcome> {
    const { kills, auditor, path, random, rows } = this.#options
    const writers = await startChangeWriters({ path, random, count: this.#options.writers ?? 1, keys: Math.ceil(rows * KEYS_PER_ROW), pauseMs: 4 })
    for (let run = 1; run <= kills; run += 1) {
      await this.#runAndKill(run)
      await auditor.collect()
    }
    const writes = await stopChangeWriters(writers)
    await this.#runToEnd(kills + 1)
    await auditor.collect()
    const journal = readJournal(this.#input.copyPath)
    const report = checkJournal({ journal, audited: auditor.events, checkpoints: this.#checkpoints })
    const outcome = { ...report, ...this.#compare(), subscriber: this.#input.subscriber, notHeld: this.#notHeld, kills, killsInSnapshot: this.#killsInSnapshot, writes }
    // As if it had been unsubscribed for good: the log does not wait for it any more.
    await this.#store.delete(this.#key)
    return outcome
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]()
  }

  get #key(): string {
    return `stream/default/app/${this.#input.subscriber}`
  }

  /** Some are killed while they still open the log, most while they work. */
  async #runAndKill(run: number): Promise<void> {
    const { random } = this.#options
    await using worker = await this.#start(run)
    if (random() < 0.8) await worker.message()
    await new Promise((resolve) => setTimeout(resolve, random() * MAX_LIFE_MS))
    worker.process.kill('SIGKILL')
    const { signal, code } = await worker.exit
    if (signal !== 'SIGKILL') throw new Error(`The consumer ended by itself with code ${code}.`)
    const checkpoint = await this.#checkpoint()
    if (checkpoint?.snapshot !== null) this.#killsInSnapshot += 1
    this.#checkHeld(run, checkpoint)
  }

  /** What the log keeps for the stream must begin at its checkpoint or before. */
  #checkHeld(run: number, checkpoint: CheckpointState | undefined): void {
    if (checkpoint === undefined) return
    using database = new DatabaseSync(this.#options.path, { timeout: 30_000 })
    const row = database.prepare(`SELECT (SELECT seq FROM tidemark_log_consumers WHERE name = 'default') AS held, (SELECT min(seq) FROM tidemark_log) AS first`).get()
    const position = fromSequence(checkpoint.position.sequence)
    const [held, first] = [BigInt(Number(row?.['held'] ?? 0)), BigInt(Number(row?.['first']))]
    if (first > position || held > position) this.#notHeld.push(`run ${run}: checkpoint ${position}, held from ${held}, log from ${first}`)
  }

  async #runToEnd(run: number): Promise<void> {
    await using worker = await this.#start(run)
    for (let said = ''; said !== 'streaming';) said = await worker.message<string>()
    using database = new DatabaseSync(this.#options.path, { timeout: 30_000 })
    database.exec(`UPDATE clock SET v = v + 1; INSERT INTO codes SELECT '${this.#input.until}', NULL, v FROM clock`)
    const exit = await worker.exit
    if (exit.code !== 0) throw new Error(`The consumer ended with ${JSON.stringify(exit)}.`)
  }

  async #start(run: number): Promise<Worker> {
    this.#checkpoints.set(run, await this.#checkpoint())
    const input: ChangeConsumerInput = { ...this.#input, run }
    const worker = startWorker('change-consumer-worker.ts', { input })
    await worker.message()
    return worker
  }

  async #checkpoint(): Promise<CheckpointState | undefined> {
    const stored = await this.#store.get(this.#key)
    return stored === undefined ? undefined : decodeCheckpoint(stored.value)
  }

  #compare(): { readonly differing: readonly string[]; readonly rows: number } {
    using source = new DatabaseSync(this.#options.path)
    const counts = CHANGE_TABLE_NAMES.map((table) => Number(source.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']))
    return { differing: differingTables({ source: this.#options.path, copy: this.#input.copyPath, tables: CHANGE_TABLE_NAMES }), rows: counts.reduce((a, b) => a + b, 0) }
  }
}
