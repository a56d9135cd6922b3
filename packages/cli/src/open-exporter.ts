import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Exporter } from '@tidemark/core'
import { nodeSqliteStateStore } from '@tidemark/node'
import { openExportSource, type ExportDatabase } from './export-database.ts'
import { openStorage, type StoragePlace } from './storage-place.ts'
import type { Environment } from './url.ts'

export interface OpenedExporter extends AsyncDisposable {
  readonly exporter: Exporter
}

export interface OpenExporterOptions {
  readonly database: ExportDatabase
  readonly place: StoragePlace
  readonly environment: Environment
}

/** Errors: `SOURCE_UNREACHABLE`, `SECRET_MISSING`, `TARGET_*`. */
export async function openExporter({ database, place, environment }: OpenExporterOptions): Promise<OpenedExporter> {
  const storage = openStorage(place, environment, { create: true })
  const state = nodeSqliteStateStore({ path: await stateFile(database, place) })
  // One name for all runs on this machine: a run that was killed holds nobody up.
  const exporter = new Exporter({ source: await openExportSource(database), storage, state, instance: 'tidemark-cli' })
  return {
    exporter,
    [Symbol.asyncDispose]: async () => {
      await exporter[Symbol.asyncDispose]()
      await state[Symbol.asyncDispose]()
    },
  }
}

/** Beside the dumps, where storages of folders keep what is no object; for a bucket, beside the database file, as its snapshots are, or here. */
async function stateFile(database: ExportDatabase, place: StoragePlace): Promise<string> {
  if (place.kind === 'bucket' && database.kind === 'file') return `${database.path}-tidemark-exports.db`
  const own = join(place.kind === 'folder' ? place.path : '.', '.tidemark')
  await mkdir(own, { recursive: true })
  return join(own, 'exports.db')
}
