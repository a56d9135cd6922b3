import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Exporter } from '@tidemark/core'
import { fsStorage, nodeSqlite, nodeSqliteStateStore } from '@tidemark/node'

export interface OpenedExporter extends AsyncDisposable {
  readonly exporter: Exporter
}

/** Jobs are kept beside the dumps, where storages of folders keep what is no object. Errors: `SOURCE_UNREACHABLE`, `TARGET_*`. */
export async function openExporter({ path, folder }: { readonly path: string; readonly folder: string }): Promise<OpenedExporter> {
  const own = join(folder, '.tidemark')
  await mkdir(own, { recursive: true })
  const state = nodeSqliteStateStore({ path: join(own, 'exports.db') })
  // One name for all runs on this machine: a run that was killed holds nobody up.
  const exporter = new Exporter({ source: nodeSqlite({ path }), storage: fsStorage(folder), state, instance: 'tidemark-cli' })
  return {
    exporter,
    [Symbol.asyncDispose]: async () => {
      await exporter[Symbol.asyncDispose]()
      await state[Symbol.asyncDispose]()
    },
  }
}
