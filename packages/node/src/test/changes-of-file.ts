import { sqliteChanges, type SqliteChanges, type SqliteChangesOptions } from '@tidemark/sqlite'
import { NodeSqliteDriver } from '../node-sqlite-driver.ts'

export interface ChangesOfFileOptions extends SqliteChangesOptions {
  /** Of the engine: below 100 MB an update takes two entries, as in a Durable Object. */
  readonly maxRowBytes?: number | undefined
  /** Of the engine. */
  readonly maxColumns?: number | undefined
}

/** The trigger source with limits as another host of SQLite has them. */
export function changesOfFile(path: string, { maxRowBytes = 1_000_000_000, maxColumns = 2_000, ...options }: ChangesOfFileOptions): SqliteChanges {
  const open = async (isReadOnly: boolean): Promise<NodeSqliteDriver> => new NodeSqliteDriver({ path, busyTimeoutMs: 5_000, isReadOnly, isForeign: true })
  return sqliteChanges({
    address: `sqlite:${path}`, textForm: 'string', maxColumns, maxRowBytes, openReader: () => open(true), openWriter: () => open(false),
  }, options)
}
