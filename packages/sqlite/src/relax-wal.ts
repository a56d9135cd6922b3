import type { SqliteDriver } from './driver.ts'

/**
 * Spares each commit of small state its sync to disk, where the file is in WAL mode, and leaves the mode as it is. What a power cut may take back then
 * are the last checkpoints: their changes come again. Where it fails, the driver is closed.
 */
export async function relaxWal(driver: SqliteDriver): Promise<SqliteDriver> {
  try {
    const [row] = await driver.query('PRAGMA journal_mode')
    if (row?.[0] === 'wal') await driver.execute('PRAGMA synchronous = NORMAL')
    return driver
  } catch (error) {
    await driver[Symbol.asyncDispose]()
    throw error
  }
}
