import { access } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { TidemarkError, makeSecret } from '@tidemark/core/adapter'
import { BetterSqliteDriver, relaxWal, type BetterSqliteDatabase, type SqliteDriver } from '@tidemark/sqlite'
import { filePath } from './file-path.ts'
import type { LibsqlClient } from './libsql-client.ts'
import { LibsqlClientDriver, type LibsqlClientDriverOptions } from './libsql-client-driver.ts'
import { DEFAULT_BUSY_TIMEOUT_MS, type LibsqlConfig, type LibsqlUrlConfig } from './libsql-config.ts'
import { libsqlError, openError } from './libsql-error.ts'
import { writeImageFile } from './write-image-file.ts'

/** Beyond what a double holds exactly: tells the modes of reading integers apart. */
const PROBE = 9_007_199_254_740_993n

/**
 * A file is opened by the synchronous `libsql` where it is installed, which writes twice as fast as the client and can
 * attach images; everything else, and a file without it, by `@libsql/client`.
 *
 * Errors: `CONFIG_INVALID` for a missing package or a wrong client, `SECRET_MISSING`, `TARGET_*`.
 */
export async function openDriver(config: LibsqlConfig, options: OpenOptions = {}): Promise<SqliteDriver> {
  if ('client' in config) return openGivenClient(config.client, options)
  const path = config.syncUrl === undefined ? filePath(config.url) : undefined
  if (path === undefined) return openClient({ client: await makeClient(config), closes: true, wantsWal: false })
  if (options.mustExist === true) await requireFile(path)
  if (options.keepsJournal === true && await exists(path)) return relaxWal(await openPath(config, { path, writes: true, wantsWal: false }))
  return openPath(config, { path, writes: options.mustExist !== true, wantsWal: options.mustExist !== true })
}

interface PathOptions {
  readonly path: string
  readonly writes: boolean
  readonly wantsWal: boolean
}

async function openPath(config: LibsqlUrlConfig, { path, writes, wantsWal }: PathOptions): Promise<SqliteDriver> {
  const Database = await importLibsql()
  if (Database !== undefined) return openFile(Database, { path, busyTimeoutMs: config.busyTimeoutMs ?? DEFAULT_BUSY_TIMEOUT_MS, wantsWal })
  const writeImage = writes ? (image: Uint8Array) => writeImageFile(image, path) : undefined
  return openClient({ client: await makeClient(config), closes: true, wantsWal, writeImage })
}

/**
 * The application's client of a file only tells which file: it keeps several connections and gives a statement
 * whichever it likes, where a load needs one to attach its images to. Our own is opened beside it.
 */
async function openGivenClient(client: LibsqlClient, options: OpenOptions): Promise<SqliteDriver> {
  const given = await openClient({ client, closes: false, wantsWal: false })
  if (client.protocol !== 'file') return given
  const rows = await given.query('SELECT file FROM pragma_database_list WHERE name = \'main\'')
  const path = String(rows[0]?.[0] ?? '')
  // A database in memory is the client's alone.
  return path === '' ? given : openDriver({ url: pathToFileURL(path).href }, options)
}

export interface OpenOptions {
  /** For a source: a missing file is `TARGET_UNREACHABLE` instead of a new database, and its journal is left as it is. */
  readonly mustExist?: boolean | undefined
  /** The journal of a file that exists is left as it is; a new one is in WAL mode. Default false: every file that is written to is. */
  readonly keepsJournal?: boolean | undefined
}

async function requireFile(path: string): Promise<void> {
  try {
    await access(path)
  } catch (error) {
    throw openError(error)
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false)
}

interface FileOptions {
  readonly path: string
  readonly busyTimeoutMs: number
  readonly wantsWal: boolean
}

type LibsqlConstructor = new (path: string, options: { readonly timeout: number }) => BetterSqliteDatabase

function openFile(Database: LibsqlConstructor, { path, busyTimeoutMs, wantsWal }: FileOptions): SqliteDriver {
  let database: BetterSqliteDatabase
  try {
    database = new Database(path, { timeout: busyTimeoutMs })
  } catch (error) {
    throw openError(error)
  }
  try {
    // Readers go on while we write; NORMAL keeps the file consistent through a crash, and what a power cut may take back is the
    // last commits together with their checkpoints (sqlite.org, "Write-Ahead Logging").
    if (wantsWal) database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  } catch (error) {
    database.close()
    throw libsqlError(error)
  }
  return new BetterSqliteDriver({ database, closes: true, busyTimeoutMs, writeImage: (image) => writeImageFile(image, path) })
}

async function openClient(options: LibsqlClientDriverOptions & { readonly wantsWal: boolean }): Promise<SqliteDriver> {
  const driver = new LibsqlClientDriver(options)
  try {
    if (options.wantsWal) await driver.execute('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
    await requireBigints(options.client)
    return driver
  } catch (error) {
    await driver[Symbol.asyncDispose]()
    throw openError(error)
  }
}

/** One query, which is also the proof that the server answers. */
async function requireBigints(client: LibsqlClient): Promise<void> {
  const read = async (): Promise<unknown> => {
    try {
      return (await client.execute({ sql: `SELECT ${PROBE}`, args: [] })).rows[0]?.[0]
    } catch (error) {
      // What `intMode: 'number'` does.
      if (error instanceof RangeError) return undefined
      throw error
    }
  }
  if (await read() === PROBE) return
  throw new TidemarkError('CONFIG_INVALID', 'The libSQL client does not read integers exactly.', {
    issues: [{ path: 'client', message: 'Must be made with intMode: \'bigint\'.' }],
    remedy: 'Create the client with `intMode: \'bigint\'`.',
  })
}

async function makeClient(config: LibsqlUrlConfig): Promise<LibsqlClient> {
  const { createClient } = await importClient()
  const { url, syncUrl, busyTimeoutMs = DEFAULT_BUSY_TIMEOUT_MS } = config
  // A client of a file would keep several connections, and a PRAGMA is one connection's.
  const connections = filePath(url) === undefined ? {} : { concurrency: 1 }
  const authToken = config.authToken === undefined ? undefined : await makeSecret(config.authToken, 'authToken').reveal()
  try {
    return createClient({
      url, intMode: 'bigint', timeout: busyTimeoutMs, ...connections, ...(syncUrl === undefined ? {} : { syncUrl }), ...(authToken === undefined ? {} : { authToken }),
    })
  } catch (error) {
    throw openError(error)
  }
}

async function importClient(): Promise<{ readonly createClient: (config: object) => LibsqlClient }> {
  try {
    // Only the subset that `LibsqlClient` names is used.
    return await import('@libsql/client') as unknown as { readonly createClient: (config: object) => LibsqlClient }
  } catch {
    throw new TidemarkError('CONFIG_INVALID', 'The package @libsql/client is not installed.', {
      issues: [{ path: 'url', message: 'Needs the package @libsql/client.' }], remedy: 'Run: npm install @libsql/client',
    })
  }
}

/** `undefined` where it is not installed or has no binary for this platform. */
async function importLibsql(): Promise<LibsqlConstructor | undefined> {
  try {
    return (await import('libsql')).default
  } catch {
    return undefined
  }
}
