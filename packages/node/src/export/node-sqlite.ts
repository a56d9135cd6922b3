import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { TidemarkError, type ExportSource, type ImportTarget } from '@tidemark/core/adapter'
import { sqliteExportSource, sqliteImportTarget, type SnapshotStore } from '@tidemark/sqlite'
import { NodeSqliteDriver } from '../node-sqlite-driver.ts'
import { copyDatabase } from './copy-database.ts'

export interface NodeSqliteConfig {
  /** File path. To export, the file must exist. */
  readonly path: string
  /** How long to wait for a writer, in milliseconds. Default 5,000. */
  readonly busyTimeoutMs?: number | undefined
}

/**
 * A SQLite file to export or to load into, through the runtime's own `node:sqlite`. An open database tells which file; connections of our own are used.
 *
 * A `snapshot` is a copy of the file beside it: it needs that much space, is made at about half a gigabyte a second, blocks no writer in WAL mode, and outlives
 * the process. A runtime without `backup` (Bun, Node before 22.16) blocks its thread meanwhile. A file to load into is made when it isn't there; how it
 * is journalled stays as it is.
 *
 * `corrected` takes no copy: triggers keep the old image of every row that is written meanwhile, in tables of the file itself, until the export is done.
 *
 * Errors: `NOT_SUPPORTED` for a database in memory; `SOURCE_*`.
 */
export function nodeSqlite(database: DatabaseSync | NodeSqliteConfig): ExportSource & ImportTarget {
  const path = pathOf(database)
  if (path === '' || path === ':memory:') {
    throw new TidemarkError('NOT_SUPPORTED', 'A database in memory can be neither exported nor loaded into: no other connection sees it.', { remedy: 'Use a file, or VACUUM INTO one.' })
  }
  const busyTimeoutMs = database instanceof DatabaseSync ? 5_000 : database.busyTimeoutMs ?? 5_000
  const open = (file: string, isReadOnly: boolean): Promise<NodeSqliteDriver> => (
    Promise.resolve().then(() => new NodeSqliteDriver({ path: requireFile(file), busyTimeoutMs, isReadOnly, isForeign: true }))
  )
  const address = `sqlite:${path}`
  return {
    ...sqliteExportSource({ address, open: () => open(path, true), openWriter: () => open(path, false), snapshots: snapshotsBeside({ path, busyTimeoutMs, open }) }),
    ...sqliteImportTarget({ address, open: () => Promise.resolve().then(() => openToLoad(path, busyTimeoutMs)) }),
  }
}

/** Pages of a slice in memory: without the room they would go to the journal in the middle of the transaction, and come back for the next rows. */
const LOAD_CACHE_KB = 64_000

async function openToLoad(path: string, busyTimeoutMs: number): Promise<NodeSqliteDriver> {
  const driver = new NodeSqliteDriver({ path, busyTimeoutMs, isForeign: true, writesSchema: true })
  await driver.execute(`PRAGMA cache_size = -${LOAD_CACHE_KB}`)
  return driver
}

interface SnapshotsOptions {
  readonly path: string
  readonly busyTimeoutMs: number
  readonly open: (file: string, isReadOnly: boolean) => Promise<NodeSqliteDriver>
}

function snapshotsBeside({ path, busyTimeoutMs, open }: SnapshotsOptions): SnapshotStore {
  const fileOf = (name: string): string => `${path}-tidemark-${name.replaceAll(/[^\w.-]/g, '_')}`
  const drop = async (name: string): Promise<void> => {
    for (const suffix of ['', '-journal', '-wal', '-shm']) await rm(`${fileOf(name)}${suffix}`, { force: true })
  }
  return {
    drop,
    create: async (name) => {
      // Half of one may be left from a kill.
      await drop(name)
      const file = fileOf(name)
      await copyDatabase({ path, file, busyTimeoutMs })
      return file
    },
    open: async (file) => (existsSync(file) ? open(file, true) : undefined),
  }
}

function pathOf(database: DatabaseSync | NodeSqliteConfig): string {
  if (!(database instanceof DatabaseSync)) return database.path
  const row = database.prepare(`SELECT file FROM pragma_database_list WHERE name = 'main'`).get()
  return typeof row?.['file'] === 'string' ? row['file'] : ''
}

function requireFile(path: string): string {
  if (existsSync(path)) return path
  throw new TidemarkError('SOURCE_UNREACHABLE', 'The database file does not exist.', { remedy: 'Check the path.' })
}
