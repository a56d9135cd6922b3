import { DatabaseSync } from 'node:sqlite'
import type { HeldSnapshot } from '@tidemark/sqlite'
import { canBackUp, NodeSqliteDriver } from '../node-sqlite-driver.ts'
import { copyDatabase } from './copy-database.ts'
import type { WorkerRenderer } from './worker-renderer.ts'

export interface HoldRequest {
  readonly path: string
  /** Where `keep` puts the copy. */
  readonly file: string
  readonly busyTimeoutMs: number
  /** To see the same. They are the snapshot's from here on, or ended. */
  readonly threads: readonly WorkerRenderer[]
}

/** Tries to begin all transactions between two commits. Each takes a few milliseconds. */
const MAX_TRIES = 5

/**
 * The file as it is now, seen by this connection and by those of the threads, without a copy. A reader in WAL mode stops no writer, but the log can't begin anew
 * meanwhile: not for longer than a slice, therefore.
 *
 * That all see one instant is known by `data_version`, which a commit of any connection changes: the same before and after.
 *
 * `undefined` where a copy has to be made at once: without WAL readers stop writers, and without a backup what an open transaction sees can't be copied.
 * Errors: as the driver's.
 */
export async function holdSnapshot({ path, file, busyTimeoutMs, threads }: HoldRequest): Promise<HeldSnapshot | undefined> {
  let driver: NodeSqliteDriver | undefined
  const close = async (): Promise<void> => {
    for (const open of [...threads, driver]) await open?.[Symbol.asyncDispose]()
  }
  let held: NodeSqliteDriver | undefined
  try {
    if (canBackUp()) driver = new NodeSqliteDriver({ path, busyTimeoutMs, isReadOnly: true, isForeign: true })
    if (driver !== undefined && await isWal(driver) && await beginTogether({ path, busyTimeoutMs, driver, threads })) held = driver
  } finally {
    if (held === undefined) await close()
  }
  return held === undefined ? undefined : toSnapshot(held, { file, threads, close })
}

function toSnapshot(driver: NodeSqliteDriver, { file, threads, close }: Pick<HoldRequest, 'file' | 'threads'> & { readonly close: () => Promise<void> }): HeldSnapshot {
  return {
    token: file,
    driver,
    openRenderers: (request) => Promise.resolve(threads.map((thread) => thread.open(request))),
    keep: (options) => copyDatabase(driver, file, options),
    [Symbol.asyncDispose]: close,
  }
}

async function isWal(driver: NodeSqliteDriver): Promise<boolean> {
  const [[mode] = []] = await driver.query('PRAGMA journal_mode')
  return mode === 'wal'
}

async function beginTogether({ path, busyTimeoutMs, driver, threads }: Pick<HoldRequest, 'path' | 'busyTimeoutMs' | 'threads'> & { readonly driver: NodeSqliteDriver }): Promise<boolean> {
  using watch = new DatabaseSync(path, { readOnly: true, timeout: busyTimeoutMs })
  const version = (): unknown => watch.prepare('PRAGMA data_version').get()?.['data_version']
  // The first time tells only that they have begun: starting takes long enough for many commits.
  if (!await holdAll(threads, path)) return false
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const before = version()
    await driver.execute('BEGIN; SELECT count(*) FROM sqlite_schema')
    if (threads.length === 0) return true
    if (await holdAll(threads, path) && version() === before) return true
    await driver.execute('ROLLBACK')
  }
  return false
}

/** Whether all could. */
async function holdAll(threads: readonly WorkerRenderer[], path: string): Promise<boolean> {
  const held = await Promise.allSettled(threads.map((thread) => thread.hold(path)))
  return held.every(({ status }) => status === 'fulfilled')
}
