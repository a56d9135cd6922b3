import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { ChangeStream, type ChangeBatch } from '@tidemark/core'
import { nodeSqliteStateStore, sqliteChanges } from '@tidemark/node'
import { ChangeAuditor } from '../fixtures/change-auditor.ts'
import { ChangeCopy, readJournal } from '../fixtures/change-copy.ts'
import { CHANGE_TABLE_NAMES, createChangeTables, differingTables, type ChangeTableName } from '../fixtures/change-workload.ts'
import { checkJournal, type JournalReport } from '../fixtures/journal-faults.ts'
import { startChangeWriters, stopChangeWriters, type ChangeWriterReport } from '../fixtures/change-writers.ts'

export interface SnapshotRaceOptions {
  readonly random: () => number
  readonly rows: number
  /** Writing processes at once. */
  readonly writers: number
  /** Rows of a chunk and events of a batch at most. */
  readonly batchEvents: number
}

export interface RacingSubscriber extends JournalReport {
  readonly name: string
  readonly differing: readonly string[]
}

export interface SnapshotRaceOutcome {
  readonly subscribers: readonly RacingSubscriber[]
  readonly writes: ChangeWriterReport
}

/** The row that says that nothing follows. */
const END = 1_000_000

/**
 * Processes write while a snapshot is read in small chunks: by a first subscriber, by one that comes when that has it complete, by one of
 * two tables only, and by a loop.
 */
export async function snapshotRace(options: SnapshotRaceOptions): Promise<SnapshotRaceOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-proof-'))
  try {
    const path = join(folder, 'app.db')
    createChangeTables(path, options.rows)
    await using auditor = await ChangeAuditor.open(path)
    await using checkpoints = nodeSqliteStateStore({ path: join(folder, 'state.db') })
    await using stream = new ChangeStream({
      source: sqliteChanges({ path }, { tables: CHANGE_TABLE_NAMES, name: 'app', integers: 'bigint', pollIntervalMs: 5, busyTimeoutMs: 30_000 }),
      snapshot: 'initial', checkpoints, batch: { events: options.batchEvents },
    })
    const writers = await startChangeWriters({ path, random: options.random, count: options.writers, keys: Math.ceil(options.rows * 1.2), pauseMs: 'told' })
    // As fast as the one that races reads, whatever else the machine does: each chunk lets every writer go on once.
    const go = (): void => writers.forEach((writer) => writer.tell('go'))
    const racers: Racer[] = []
    for (const [name, tables] of [['first', undefined], ['late', undefined], ['two', ['accounts', 'pairs']]] as const) {
      const racer = new Racer(join(folder, `${name}.db`), name, tables ?? CHANGE_TABLE_NAMES)
      racers.push(racer)
      const completed = snapshotOf(stream, name)
      racer.onChunk = go
      await stream.subscribe({ id: name, tables }, (batch) => racer.take(batch))
      await completed
      racer.onChunk = undefined
    }
    const racer = new Racer(join(folder, 'loop.db'), 'loop', CHANGE_TABLE_NAMES)
    racers.push(racer)
    racer.onChunk = go
    const completed = snapshotOf(stream, 'loop')
    const loop = racer.follow(stream)
    await Promise.race([completed, loop])
    racer.onChunk = undefined
    const writes = await stopChangeWriters(writers)
    writeEnd(path)
    await Promise.all([loop, ...racers.map((entry) => entry.ended)])
    await stream.stop()
    await auditor.collect()
    return { writes, subscribers: racers.map((entry) => entry.report(path, auditor)) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

class Racer {
  readonly name: string
  readonly ended: Promise<void>
  onChunk: (() => void) | undefined
  readonly #path: string
  readonly #tables: readonly ChangeTableName[]
  readonly #copy: ChangeCopy
  #end = (): void => undefined
  #isEnded = false

  constructor(path: string, name: string, tables: readonly ChangeTableName[]) {
    this.name = name
    this.#path = path
    this.#tables = tables
    this.#copy = new ChangeCopy(path, 1)
    this.ended = new Promise((resolve) => { this.#end = resolve })
  }

  async take(batch: ChangeBatch): Promise<void> {
    if (batch.events[0]?.op === 'snapshot') this.onChunk?.()
    // The writers' turn: another one than that in which the next chunk is read.
    await setTimeout(1)
    this.#copy.apply(batch)
    this.#isEnded ||= batch.events.some(({ table, op, after }) => table === 'accounts' && op === 'insert' && after['id'] === BigInt(END))
    if (this.#isEnded) this.#end()
  }

  async follow(stream: ChangeStream): Promise<void> {
    for await (const batch of stream.live({ id: this.name, maxBufferedEvents: 10_000_000, maxBufferedBytes: 1e9 })) {
      await this.take(batch)
      if (this.#isEnded) return
    }
  }

  report(source: string, auditor: ChangeAuditor): RacingSubscriber {
    this.#copy[Symbol.dispose]()
    const audited = auditor.events.filter(({ table }) => this.#tables.some((name) => name === table))
    const report = checkJournal({ journal: readJournal(this.#path), audited, checkpoints: new Map() })
    return { ...report, name: this.name, differing: differingTables({ source, copy: this.#path, tables: this.#tables }) }
  }
}

function snapshotOf(stream: ChangeStream, subscriber: string): Promise<void> {
  return new Promise((resolve) => {
    stream.on('snapshot', (notice) => { if (notice.subscriber === subscriber && notice.phase === 'completed') resolve() })
  })
}

function writeEnd(path: string): void {
  using database = new DatabaseSync(path, { timeout: 30_000 })
  database.exec(`UPDATE clock SET v = v + 1; INSERT INTO accounts SELECT ${END}, NULL, NULL, v FROM clock`)
}
