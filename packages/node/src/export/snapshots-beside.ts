import { existsSync, statSync } from 'node:fs'
import type { SnapshotStore } from '@tidemark/sqlite'
import { NodeSqliteDriver } from '../node-sqlite-driver.ts'
import { copyDatabase, partOf, removeDatabase } from './copy-database.ts'
import { holdSnapshot } from './hold-snapshot.ts'
import { WorkerRenderer } from './worker-renderer.ts'

export interface SnapshotsOptions {
  readonly path: string
  readonly busyTimeoutMs: number
  readonly renderThreads: number
}

/** A smaller file is rendered before a thread has begun. */
const THREADED_BYTES = 8_388_608

/** Copies of a file in its own folder, and the threads that render them. */
export function snapshotsBeside({ path, busyTimeoutMs, renderThreads }: SnapshotsOptions): SnapshotStore {
  const fileOf = (name: string): string => `${path}-tidemark-${name.replaceAll(/[^\w.-]/g, '_')}`
  // Fewer than two would leave this one idle meanwhile.
  const threads = new RenderThreads(renderThreads < 2 ? 0 : renderThreads)
  const isLarge = (): boolean => existsSync(path) && statSync(path).size >= THREADED_BYTES
  const drop = async (name: string): Promise<void> => {
    await threads.end()
    const file = fileOf(name)
    for (const copy of [file, partOf(file)]) await removeDatabase(copy)
  }
  return {
    drop,
    create: async ({ name, isRendered, signal }) => {
      // Half of one may be left from a kill.
      await drop(name)
      const file = fileOf(name)
      if (isRendered && isLarge()) threads.begin()
      try {
        await using driver = new NodeSqliteDriver({ path, busyTimeoutMs, isForeign: true })
        await copyDatabase(driver, file, { signal })
      } catch (error) {
        await threads.end()
        throw error
      }
      return file
    },
    hold: async ({ name, isRendered }) => {
      await drop(name)
      return existsSync(path) ? holdSnapshot({ path, file: fileOf(name), busyTimeoutMs, threads: isRendered && isLarge() ? threads.take() : [] }) : undefined
    },
    open: (file) => Promise.resolve(existsSync(file) ? new NodeSqliteDriver({ path: file, busyTimeoutMs, isReadOnly: true, isForeign: true }) : undefined),
    openRenderers: async (request) => {
      const taken = threads.take()
      try {
        return taken.map((renderer) => renderer.open(request))
      } catch (error) {
        for (const renderer of taken) await renderer[Symbol.asyncDispose]()
        throw error
      }
    },
  }
}

/** Threads begin while the copy is being made, which takes about as long. */
class RenderThreads {
  readonly #count: number
  #idle: WorkerRenderer[] = []

  constructor(count: number) {
    this.#count = count
  }

  begin(): void {
    try {
      while (this.#idle.length < this.#count) this.#idle.push(new WorkerRenderer())
    } catch {
      // None may be made here, or a bundler left its file behind: this thread renders alone then.
    }
  }

  take(): readonly WorkerRenderer[] {
    this.begin()
    const taken = this.#idle
    this.#idle = []
    return taken
  }

  async end(): Promise<void> {
    for (const renderer of this.#idle.splice(0)) await renderer[Symbol.asyncDispose]()
  }
}
