import { sqliteChanges, type SqliteChanges, type SqliteChangesOptions } from '@tidemark/sqlite'
import type { LibsqlConfig } from './libsql-config.ts'
import { libsqlAddress } from './libsql-target.ts'
import { openDriver } from './open-driver.ts'

/** SQLite's defaults (sqlite.org, "Limits"): SQLITE_MAX_COLUMN and SQLITE_MAX_LENGTH. */
const MAX_COLUMNS = 2_000
const MAX_ROW_BYTES = 1_000_000_000

/**
 * Changes of a libSQL database: a local file or a server. Texts are read as bytes, as by `libsqlSource`.
 *
 * Errors: as `sqliteChanges` of `@tidemark/sqlite`, and those of opening a libSQL database as `SOURCE_*`.
 */
export function libsqlChanges(config: LibsqlConfig, options: SqliteChangesOptions = {}): SqliteChanges {
  const open = () => openDriver(config, { mustExist: true })
  return sqliteChanges({
    address: libsqlAddress(config), textForm: 'bytes', maxColumns: MAX_COLUMNS, maxRowBytes: MAX_ROW_BYTES, openReader: open, openWriter: open,
  }, options)
}
