import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { throwIfAborted, type AbortOptions } from '@tidemark/core/adapter'
import { canBackUp, type NodeSqliteDriver } from '../node-sqlite-driver.ts'

/** Versions of the file format for writing and for reading: 2 in WAL mode, 1 otherwise (sqlite.org, "Database File Format", 1.3.3). */
const VERSIONS = { offset: 18, length: 2 } as const

/**
 * The database as the connection sees it, in a file that does not exist yet and survives a loss of power. It has its name once it is whole: half of one, left by a kill, would
 * be taken for the copy.
 *
 * SQLite's backup copies pages on another thread. Where the runtime has none (Bun), `VACUUM INTO` makes the copy on this one, and can't be stopped.
 * Errors: as the driver's; `ABORTED`. Nothing is left then.
 */
export async function copyDatabase(driver: NodeSqliteDriver, file: string, { signal }: AbortOptions = {}): Promise<void> {
  const part = partOf(file)
  await removeDatabase(part)
  try {
    throwIfAborted(signal)
    if (canBackUp()) await driver.backUp(part, { signal })
    else await driver.execute(`VACUUM main INTO '${part.replaceAll("'", "''")}'`)
    await settle(part)
    await rename(part, file)
  } catch (error) {
    await removeDatabase(part).catch(() => undefined) // the first error says more
    throw error
  }
}

/** With what SQLite may have put beside it. One that is gone is no error. */
export async function removeDatabase(file: string): Promise<void> {
  for (const suffix of ['', '-journal', '-wal', '-shm']) await rm(`${file}${suffix}`, { force: true })
}

async function settle(part: string): Promise<void> {
  const handle = await open(part, 'r+')
  try {
    await leaveWal(handle)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Where a copy is made. */
export function partOf(file: string): string {
  return `${file}.part`
}

/** A copy is as the source is. One in WAL mode would need two more files beside it to be read. */
async function leaveWal(handle: FileHandle): Promise<void> {
  await handle.write(Uint8Array.of(1, 1), 0, VERSIONS.length, VERSIONS.offset)
}
