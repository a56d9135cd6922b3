import { Replicator } from '@tidemark/core'
import { nodeSqliteTarget } from '@tidemark/node'
import { postgresSource } from '@tidemark/postgres'
import type { Reporter } from './reporter.ts'
import { TABLE } from './source-table.ts'

export interface ReplicaOptions {
  readonly url: string
  /** The SQLite file to make. */
  readonly path: string
  readonly reporter: Reporter
  readonly expectedRows: number
}

export interface LoadFigures {
  readonly rows: number
  readonly durationMs: number
}

const SYNC_INTERVAL_MS = 500
const MS_PER_MINUTE = 60_000

/** The part of the demo that an application would write: one replication, kept in step on an interval. */
export class Replica implements AsyncDisposable {
  readonly #replicator: Replicator
  readonly #reporter: Reporter
  readonly #expectedRows: number
  #isLoaded = false
  #polls = 0
  #polledRows = 0
  #failure: string | undefined

  constructor(options: ReplicaOptions) {
    this.#reporter = options.reporter
    this.#expectedRows = options.expectedRows
    this.#replicator = new Replicator({
      target: nodeSqliteTarget({ path: options.path }),
      replications: [{
        name: TABLE,
        source: postgresSource({ url: options.url }),
        sourceTable: TABLE,
        trackingColumn: 'updated_at',
        syncIntervalMinutes: SYNC_INTERVAL_MS / MS_PER_MINUTE,
      }],
    })
    this.#listen()
  }

  /** Syncs since the first copy was in place, and the rows they changed. */
  get followed(): { readonly polls: number; readonly rows: number } {
    return { polls: this.#polls, rows: this.#polledRows }
  }

  /** Starts the schedule and waits for the first copy. */
  async load(): Promise<LoadFigures> {
    const result = await this.#replicator.syncNow(TABLE)
    this.#isLoaded = true
    await this.#replicator.start()
    return { rows: result.rows, durationMs: result.durationMs }
  }

  /** Brings the copy to where the source is now, and finds what no poll can see. Resolves to the rows it had to heal. */
  async catchUp(): Promise<number> {
    let healed = 0
    const forget = this.#replicator.on('reconcile:success', ({ healedRows }) => { healed += healedRows })
    await this.#replicator.syncNow(TABLE)
    await this.#replicator.reconcile(TABLE)
    forget()
    if (this.#failure !== undefined) throw new Error(`A scheduled sync failed: ${this.#failure}`)
    return healed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#replicator.stop()
  }

  #listen(): void {
    this.#replicator.on('sync:progress', ({ phase, rows }) => {
      if (phase === 'load') this.#reporter.progress({ label: 'copied', done: rows, total: Math.max(rows, this.#expectedRows) })
      // Read once more after a load beside open writers, and by the reconcile.
      if (phase === 'reread' || phase === 'sweep') this.#reporter.progress({ label: 'rows read again', done: rows })
    })
    this.#replicator.on('sync:success', ({ rows }) => {
      if (!this.#isLoaded) return
      this.#polls += 1
      this.#polledRows += rows
    })
    this.#replicator.on('sync:error', ({ error }) => { this.#failure = `${error.code}: ${error.message}` })
  }
}
