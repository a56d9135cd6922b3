import type { SqliteOracle } from '@tidemark/conformance'
import type { RowValues } from '@tidemark/core/adapter'
import Database from 'libsql'

export const BUSY_TIMEOUT_MS = 5_000

/** By the same library as the adapter's: two SQLites in one process do not see each other's locks. */
export function openDatabase(path: string): Database.Database {
  const database = new Database(path, { timeout: BUSY_TIMEOUT_MS })
  database.exec('pragma journal_mode = wal; pragma synchronous = off')
  return database
}

export function openOracle(path: string): SqliteOracle {
  const database = openDatabase(path)
  return { query: async (sql) => query(database, sql), close: async () => void database.close() }
}

function query(database: Database.Database, sql: string): readonly RowValues[] {
  if (!/^select\b/i.test(sql)) {
    database.exec(sql)
    return []
  }
  // In raw mode every row is an array of the values that SQLite has.
  return database.prepare(sql).raw(true).safeIntegers(true).all() as readonly RowValues[]
}
