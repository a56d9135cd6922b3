import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { DatabaseSync } from 'node:sqlite'
import { TidemarkError, type ExportSource, type ImportTarget } from '@tidemark/core/adapter'
import { sqliteExportSource, sqliteImportTarget } from '@tidemark/sqlite'
import { NodeSqliteDriver } from '../node-sqlite-driver.ts'
import { textForm } from '../text-form.ts'
import { snapshotsBeside } from './snapshots-beside.ts'

export interface NodeSqliteConfig {
  /** File path. To export, the file must exist. */
  readonly path: string
  /** How long to wait for a writer, in milliseconds. Default 5,000. */
  readonly busyTimeoutMs?: number | undefined
  /** How many threads may render the rows of a large table of a snapshot as SQL. Default: the number of processors, at most 4; fewer than 2: none. */
  readonly renderThreads?: number | undefined
}

/**
 * A SQLite file to export or to load into, through the runtime's own `node:sqlite`. An open database tells which file; connections of our own are used.
 *
 * A `snapshot` is a read transaction for the first slice, and a copy of the file beside it for what is left by then: a small export copies nothing. The copy
 * needs that much space, is made at about half a gigabyte a second, blocks no writer in WAL mode, and outlives the process; killed in its first slice, an export
 * begins anew with a copy. Without WAL the copy is made at once, and a runtime without `backup` (Bun) blocks its thread meanwhile. A file to
 * load into is made when it isn't there; how it is journalled stays as it is.
 * Comparing a database with a dump copies it as well, and leaves the copy where it is killed.
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
  const renderThreads = (database instanceof DatabaseSync ? undefined : database.renderThreads) ?? Math.min(MAX_RENDER_THREADS, availableParallelism())
  const open = (file: string, isReadOnly: boolean): Promise<NodeSqliteDriver> => (
    Promise.resolve().then(() => new NodeSqliteDriver({ path: requireFile(file), busyTimeoutMs, isReadOnly, isForeign: true }))
  )
  const address = `sqlite:${path}`
  return {
    ...sqliteExportSource({ address, open: () => open(path, true), openWriter: () => open(path, false), textForm: textForm(), snapshots: snapshotsBeside({ path, busyTimeoutMs, renderThreads }) }),
    ...sqliteImportTarget({ address, open: () => Promise.resolve().then(() => openToLoad(path, busyTimeoutMs)) }),
  }
}

/** More would wait for the thread that writes. */
const MAX_RENDER_THREADS = 4

/** Pages of a slice in memory: without the room they would go to the journal in the middle of the transaction, and come back for the next rows. */
const LOAD_CACHE_KB = 64_000

async function openToLoad(path: string, busyTimeoutMs: number): Promise<NodeSqliteDriver> {
  const driver = new NodeSqliteDriver({ path, busyTimeoutMs, isForeign: true, writesSchema: true })
  await driver.execute(`PRAGMA cache_size = -${LOAD_CACHE_KB}`)
  return driver
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
