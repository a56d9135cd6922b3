import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { TidemarkError } from '@tidemark/core/adapter'
import {
  BetterSqliteDriver, sqliteChanges as changesOf, type BetterSqliteDatabase, type SqliteChanges, type SqliteChangesOptions, type SqliteDriver,
} from '@tidemark/sqlite'
import { NodeSqliteDriver } from './node-sqlite-driver.ts'
import { textForm } from './text-form.ts'
import { watchDatabase } from './watch-database.ts'

/** A file, or an open database of one: `node:sqlite`'s, or one of better-sqlite3's shape. */
export type ChangedDatabase = { readonly path: string } | DatabaseSync | BetterSqliteDatabase

export interface NodeSqliteChangesOptions extends SqliteChangesOptions {
  /** How long to wait for another writer, in milliseconds. Default 5,000. */
  readonly busyTimeoutMs?: number | undefined
}

/** SQLite's defaults (sqlite.org, "Limits"): SQLITE_MAX_COLUMN and SQLITE_MAX_LENGTH. */
const MAX_COLUMNS = 2_000
const MAX_ROW_BYTES = 1_000_000_000

/**
 * Changes of a SQLite file, whoever makes them. The database that is given tells which file, and with which library to open
 * it: connections of our own are used, since the application's may be in the middle of a transaction.
 *
 * Errors: `NOT_SUPPORTED` for a database in memory, which no other connection can see; see also `sqliteChanges` of `@tidemark/sqlite`.
 */
export function sqliteChanges(database: ChangedDatabase, options: NodeSqliteChangesOptions = {}): SqliteChanges {
  const path = pathOf(database)
  if (path === '' || path === ':memory:') {
    throw new TidemarkError('NOT_SUPPORTED', 'Triggers can not capture the changes of a database in memory: no other connection sees it.', {
      remedy: 'Use a file, or sessionChanges(db).',
    })
  }
  const open = opener(database, path, options.busyTimeoutMs ?? 5_000)
  return changesOf({
    address: `sqlite:${path}`,
    // Drivers of better-sqlite3's shape differ in what they lose of a text.
    textForm: isBetterSqlite(database) ? 'bytes' : textForm(),
    maxColumns: MAX_COLUMNS,
    maxRowBytes: MAX_ROW_BYTES,
    openReader: () => Promise.resolve().then(() => open(true)),
    openWriter: () => Promise.resolve().then(() => open(false)),
    watch: (listener) => watchDatabase(path, listener),
  }, options)
}

function isBetterSqlite(database: ChangedDatabase): database is BetterSqliteDatabase {
  return !(database instanceof DatabaseSync) && !('path' in database)
}

function pathOf(database: ChangedDatabase): string {
  if ('path' in database && typeof database.path === 'string') return database.path
  const sql = `SELECT file FROM pragma_database_list WHERE name = 'main'`
  // Not a file database any more when it is closed: the driver then says so.
  const [row] = (database as DatabaseSync | BetterSqliteDatabase).prepare(sql).all([] as never) // both take no parameters in this form
  const [file] = Array.isArray(row) ? row : Object.values(row ?? {})
  return typeof file === 'string' ? file : ''
}

/** Through the library of the database given: two copies of SQLite in one process break each other's file locks (sqlite.org, "How To Corrupt"). */
function opener(database: ChangedDatabase, path: string, busyTimeoutMs: number): (isReadOnly: boolean) => SqliteDriver {
  if (!isBetterSqlite(database)) return (isReadOnly) => new NodeSqliteDriver({ path: requireFile(path), busyTimeoutMs, isReadOnly, isForeign: true })
  const Database = database.constructor as new (path: string, options: object) => BetterSqliteDatabase // what made the one that was given
  return (isReadOnly) => new BetterSqliteDriver({
    database: new Database(requireFile(path), { readonly: isReadOnly, timeout: busyTimeoutMs }), closes: true, busyTimeoutMs,
  })
}

/** Drivers would make an empty database of a name that is wrong. */
function requireFile(path: string): string {
  if (existsSync(path)) return path
  throw new TidemarkError('SOURCE_UNREACHABLE', 'The database file does not exist.', { remedy: 'Check the path.' })
}
