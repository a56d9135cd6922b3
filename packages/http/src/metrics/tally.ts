import type { ExportStatusName, ReplicatorEvents } from '@tidemark/core'
import type { AnyReplicator } from '../capabilities.ts'
import type { HandlerSettings } from '../handler-settings.ts'

/** Of one replication, since the handler was made. */
export interface SyncCounts {
  readonly success: number
  readonly error: number
  readonly retry: number
  readonly rows: number
}

const NONE: SyncCounts = { success: 0, error: 0, retry: 0, rows: 0 }

export type SyncProgress = Omit<ReplicatorEvents['sync:progress'], 'name'>

/** What only events tell: counters, and how far a sync under way has come. */
export class Tally implements Disposable {
  readonly syncs = new Map<string, SyncCounts>()
  readonly progress = new Map<string, SyncProgress>()
  /** Ended, by how. */
  readonly exports = { completed: 0, failed: 0, cancelled: 0 }
  readonly #unsubscribe: readonly (() => void)[]

  constructor({ replicator, exporter }: Pick<HandlerSettings, 'replicator' | 'exporter'>) {
    this.#unsubscribe = [...replicator === undefined ? [] : this.#follow(replicator), ...exporter === undefined ? [] : [exporter.on('export:status', ({ status }) => this.#count(status))]]
  }

  /** Of a replication that is no more. */
  forget(name: string): void {
    this.syncs.delete(name)
    this.progress.delete(name)
  }

  [Symbol.dispose](): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
  }

  #follow(replicator: AnyReplicator): readonly (() => void)[] {
    return [
      replicator.on('sync:start', ({ name }) => void this.progress.delete(name)),
      replicator.on('sync:progress', ({ name, ...progress }) => void this.progress.set(name, progress)),
      replicator.on('sync:retry', ({ name }) => this.#add(name, { retry: 1 })),
      replicator.on('sync:success', ({ name, rows }) => this.#end(name, { success: 1, rows })),
      replicator.on('sync:error', ({ name }) => this.#end(name, { error: 1 })),
    ]
  }

  #count(status: ExportStatusName): void {
    if (status === 'completed' || status === 'failed' || status === 'cancelled') this.exports[status] += 1
  }

  #end(name: string, counts: Partial<SyncCounts>): void {
    this.progress.delete(name)
    this.#add(name, counts)
  }

  #add(name: string, { success = 0, error = 0, retry = 0, rows = 0 }: Partial<SyncCounts>): void {
    const before = this.syncs.get(name) ?? NONE
    this.syncs.set(name, { success: before.success + success, error: before.error + error, retry: before.retry + retry, rows: before.rows + rows })
  }
}
