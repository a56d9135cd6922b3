import { Replicator } from '@tidemark/core'
import { nodeSqliteTarget } from '@tidemark/node'
import { postgresSource } from '@tidemark/postgres'

export interface FollowedTableOptions {
  readonly url: string
  readonly table: string
  /** The SQLite file to make. */
  readonly path: string
}

/** A table that is copied once and then polled by hand. */
export class FollowedTable implements AsyncDisposable {
  readonly name: string
  readonly #replicator: Replicator

  private constructor({ url, table, path }: FollowedTableOptions) {
    this.name = table
    this.#replicator = new Replicator({
      target: nodeSqliteTarget({ path }),
      // A schedule of this interval keeps its connection between polls, as in use; the polls measured come well within it.
      replications: [{ name: table, source: postgresSource({ url }), sourceTable: table, trackingColumn: 'updated_at', syncIntervalMinutes: 1, reconcile: false }],
      jitter: 0,
    })
  }

  static async open(options: FollowedTableOptions): Promise<FollowedTable> {
    const table = new FollowedTable(options)
    await table.#replicator.syncNow(table.name)
    await table.#replicator.start()
    await table.settle()
    return table
  }

  /** Milliseconds of one poll. Errors: another number of changed rows than expected, which would be another measurement. */
  async timePoll(expectedRows: number): Promise<number> {
    const startMs = performance.now()
    const { rows } = await this.#replicator.syncNow(this.name)
    const durationMs = performance.now() - startMs
    if (rows !== expectedRows) throw new Error(`A poll of ${this.name} changed ${rows} rows instead of ${expectedRows}.`)
    return durationMs
  }

  timeIdlePoll(): Promise<number> {
    return this.timePoll(0)
  }

  /** Polls until nothing is read again: the newest rows are, as long as an older writer could still commit before them. */
  async settle(): Promise<void> {
    for (;;) {
      const { rowsRead, unsettled } = await this.#replicator.syncNow(this.name)
      if (rowsRead === 0 && unsettled.marks === 0) return
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#replicator.stop()
  }
}
