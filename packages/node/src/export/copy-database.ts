import { open, type FileHandle } from 'node:fs/promises'
import * as sqlite from 'node:sqlite'
import { sqliteError } from '@tidemark/sqlite'
import { NodeSqliteDriver } from '../node-sqlite-driver.ts'

export interface CopyDatabaseOptions {
  readonly path: string
  /** Must not exist. */
  readonly file: string
  readonly busyTimeoutMs: number
}

/** All in one step: between steps a writer of another connection would have the copy begun anew. */
const ALL_PAGES = 0x7fff_ffff

/** Versions of the file format for writing and for reading: 2 in WAL mode, 1 otherwise (sqlite.org, "Database File Format", 1.3.3). */
const VERSIONS = { offset: 18, length: 2 } as const

/**
 * The database as it is now, in a file of its own that survives a loss of power.
 *
 * SQLite's backup copies pages on another thread. Where the runtime has none (Bun, Node before 22.16), `VACUUM INTO` makes the copy on this one.
 * Errors: `SOURCE_*`.
 */
export async function copyDatabase({ path, file, busyTimeoutMs }: CopyDatabaseOptions): Promise<void> {
  // Named imports of what is absent would not even link.
  const { backup } = sqlite as Partial<Pick<typeof sqlite, 'backup'>>
  if (backup === undefined) await vacuumInto({ path, file, busyTimeoutMs })
  else await backUp(backup, { path, file, busyTimeoutMs })
  const handle = await open(file, 'r+')
  try {
    await leaveWal(handle)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function backUp(backup: typeof sqlite.backup, { path, file, busyTimeoutMs }: CopyDatabaseOptions): Promise<void> {
  const source = new sqlite.DatabaseSync(path, { timeout: busyTimeoutMs })
  try {
    await backup(source, file, { rate: ALL_PAGES })
  } catch (error) {
    throw sqliteError(error)
  } finally {
    source.close()
  }
}

async function vacuumInto({ path, file, busyTimeoutMs }: CopyDatabaseOptions): Promise<void> {
  await using driver = new NodeSqliteDriver({ path, busyTimeoutMs, isForeign: true })
  await driver.execute(`VACUUM main INTO '${file.replaceAll("'", "''")}'`)
}

/** A copy is as the source is. One in WAL mode would need two more files beside it to be read. */
async function leaveWal(handle: FileHandle): Promise<void> {
  await handle.write(Uint8Array.of(1, 1), 0, VERSIONS.length, VERSIONS.offset)
}
