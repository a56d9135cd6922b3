import type { SourceDialect, TargetDialect } from '@tidemark/core/adapter'
import { BetterSqliteDriver, sqliteSource, sqliteTarget, type BetterSqliteDatabase } from '@tidemark/sqlite'

export interface BetterSqliteConfig {
  /** An open database of `better-sqlite3`, `libsql` or any package of that shape. It is used, never closed. */
  readonly database: BetterSqliteDatabase
  /** Shown in status and errors. Default: `sqlite`. */
  readonly address?: string | undefined
}

export interface BetterSqliteTargetConfig extends BetterSqliteConfig {
  /** Longest row to accept, in bytes. Default: SQLite's own limit, 1,000,000,000. */
  readonly maxRowBytes?: number | undefined
}

/**
 * A database that the application has opened with a driver of better-sqlite3's shape. Its settings are left as they
 * are: `journal_mode = WAL` and a busy timeout are the application's to choose. A transaction of Tidemark's waits for
 * nothing but its own next statement, yet the application must not begin one of its own on the same database meanwhile:
 * give Tidemark a connection of its own. Errors: `TARGET_*`.
 */
export function betterSqliteTarget(config: BetterSqliteTargetConfig): TargetDialect {
  return sqliteTarget({
    name: 'better-sqlite',
    address: config.address ?? 'sqlite',
    // SQLite's own defaults (sqlite.org, "Limits"): SQLITE_MAX_VARIABLE_NUMBER and SQLITE_MAX_LENGTH.
    capabilities: { maxParameters: 32_766, maxRowBytes: config.maxRowBytes ?? 1_000_000_000, shared: true, synchronous: true },
    // Drivers of this shape differ in what they lose.
    textForm: 'bytes',
    open: () => Promise.resolve(new BetterSqliteDriver({ database: config.database, closes: false })),
  })
}

/** The same database as a source. Texts are read as bytes, because drivers of this shape differ in what they lose. Errors: `SOURCE_*`. */
export function betterSqliteSource(config: BetterSqliteConfig): SourceDialect {
  return sqliteSource({
    name: 'sqlite',
    address: config.address ?? 'sqlite',
    textForm: 'bytes',
    open: () => Promise.resolve(new BetterSqliteDriver({ database: config.database, closes: false })),
  })
}
