import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Exporter } from '@tidemark/core'
import { nodeSqlite, nodeSqliteStateStore } from '@tidemark/node'
import { openStorage, type StoragePlace } from './storage-place.ts'
import type { Environment } from './url.ts'

export interface OpenedExporter extends AsyncDisposable {
  readonly exporter: Exporter
}

export interface OpenExporterOptions {
  /** The database file. */
  readonly path: string
  readonly place: StoragePlace
  readonly environment: Environment
}

/** Errors: `SOURCE_UNREACHABLE`, `SECRET_MISSING`, `TARGET_*`. */
export async function openExporter({ path, place, environment }: OpenExporterOptions): Promise<OpenedExporter> {
  const storage = openStorage(place, environment, { create: true })
  const state = nodeSqliteStateStore({ path: await stateFile(path, place) })
  // One name for all runs on this machine: a run that was killed holds nobody up.
  const exporter = new Exporter({ source: nodeSqlite({ path }), storage, state, instance: 'tidemark-cli' })
  return {
    exporter,
    [Symbol.asyncDispose]: async () => {
      await exporter[Symbol.asyncDispose]()
      await state[Symbol.asyncDispose]()
    },
  }
}

/** Beside the dumps, where storages of folders keep what is no object; for a bucket, beside the database, as its snapshots are. */
async function stateFile(path: string, place: StoragePlace): Promise<string> {
  if (place.kind === 'bucket') return `${path}-tidemark-exports.db`
  const own = join(place.path, '.tidemark')
  await mkdir(own, { recursive: true })
  return join(own, 'exports.db')
}
