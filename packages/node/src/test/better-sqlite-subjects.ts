import {
  SQLITE_CHANGE_FACTS, sqliteChangeHarness, sqliteSyntax, sqliteTargetHarness, sqlSourceHarness, type ChangeSubject, type SourceSubject, type SqliteOracle, type SqlSession, type TargetSubject,
} from '@tidemark/conformance'
import type { RowValues } from '@tidemark/core/adapter'
import { quote } from '@tidemark/sqlite'
import Database from 'libsql'
import { betterSqliteSource, betterSqliteTarget } from '../better-sqlite.ts'
import { sqliteChanges } from '../sqlite-changes.ts'
import { raiseStateVersion } from './raise-state-version.ts'
import { SQLITE_SOURCE_FACTS } from './sqlite-source-facts.ts'
import { temporaryFolder, type TemporaryFolder } from './temporary-folder.ts'

const BUSY_TIMEOUT_MS = 5_000

/** The application's part: it opens databases and closes them in the end. The oracle uses the same library, see the README. */
class Databases {
  readonly folder: TemporaryFolder
  readonly #open: Database.Database[] = []

  constructor(folder: TemporaryFolder) {
    this.folder = folder
  }

  open(): Database.Database {
    const database = new Database(this.folder.path('data.db'), { timeout: BUSY_TIMEOUT_MS })
    database.exec('pragma journal_mode = wal; pragma synchronous = off')
    this.#open.push(database)
    return database
  }

  session(): SqlSession {
    const database = this.open()
    return { execute: async (sql) => database.exec(sql), close: async () => undefined }
  }

  oracle(): SqliteOracle {
    const database = this.open()
    return { query: async (sql) => query(database, sql), close: async () => undefined }
  }

  async dispose(): Promise<void> {
    for (const database of this.#open) database.close()
    await this.folder.remove()
  }
}

export function betterSqliteSourceSubject(): SourceSubject {
  return {
    name: 'libsql through betterSqliteSource',
    traits: {
      capabilities: betterSqliteSource({ database: new Database(':memory:') }).capabilities,
      // The application has opened the database.
      facts: { ...SQLITE_SOURCE_FACTS, unreachable: false },
    },
    open: async () => {
      const databases = new Databases(await temporaryFolder())
      return sqlSourceHarness({
        syntax: sqliteSyntax,
        openSession: async () => databases.session(),
        source: () => betterSqliteSource({ database: databases.open() }),
        dispose: () => databases.dispose(),
      })
    },
  }
}

/** Loads by bound parameters; `maxRowBytes` below SQLite's own limit makes the cases of too large rows apply. */
export function betterSqliteTargetSubject(maxRowBytes?: number): TargetSubject {
  return {
    name: `libsql through betterSqliteTarget${maxRowBytes === undefined ? '' : ` with rows of at most ${maxRowBytes} bytes`}`,
    traits: {
      capabilities: betterSqliteTarget({ database: new Database(':memory:'), maxRowBytes }).capabilities,
      facts: { reconnects: true, userTriggers: true, unreachable: false },
    },
    open: async () => {
      const databases = new Databases(await temporaryFolder())
      return sqliteTargetHarness({
        target: () => betterSqliteTarget({ database: databases.open(), maxRowBytes }),
        oracle: databases.oracle(),
        makeStateNewer: raiseStateVersion,
        dispose: () => databases.dispose(),
      })
    },
  }
}

/** Connections of the source's own come from the library of the database given. */
export function betterSqliteChangesSubject(): ChangeSubject {
  return {
    name: 'libsql through sqliteChanges',
    traits: { capabilities: sqliteChanges({ path: 'data.db' }, { tables: ['t'] }).capabilities, facts: { ...SQLITE_CHANGE_FACTS, wakes: true, restores: false, replacesDatabase: false } },
    open: async () => {
      const databases = new Databases(await temporaryFolder())
      return sqliteChangeHarness({
        openSession: async () => databases.session(),
        openOracle: async () => databases.oracle(),
        source: ({ tables, name }) => sqliteChanges(databases.open(), { tables: tables.map((table) => quote(table.name)), name }),
        dispose: () => databases.dispose(),
      })
    },
  }
}

function query(database: Database.Database, sql: string): readonly RowValues[] {
  if (!/^select\b/i.test(sql)) {
    database.exec(sql)
    return []
  }
  // In raw mode every row is an array of the values that SQLite has.
  return database.prepare(sql).raw(true).safeIntegers(true).all() as readonly RowValues[]
}
