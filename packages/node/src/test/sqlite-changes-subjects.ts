import { copyFile, rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { SQLITE_CHANGE_FACTS, sqliteChangeHarness, type ChangeSourceOptions, type ChangeSubject, type SqliteChangeHarnessConfig, type SqliteFile } from '@tidemark/conformance'
import type { RowValues } from '@tidemark/core/adapter'
import { quote } from '@tidemark/sqlite'
import { sqliteChanges } from '../sqlite-changes.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** A file has no password; the suite wants something to look for. */
const SECRET = 'hunter2'

export interface ChangesSubjectOptions {
  readonly recursiveTriggers?: boolean | undefined
  readonly replace?: 'auto' | 'exact' | undefined
}

export function nodeSqliteChangesSubject(options: ChangesSubjectOptions = {}): ChangeSubject {
  const { recursiveTriggers = false, replace = 'auto' } = options
  return {
    name: `node:sqlite triggers, recursive_triggers ${recursiveTriggers ? 'on' : 'off'}, replace ${replace}`,
    traits: {
      capabilities: sqliteChanges({ path: 'data.db' }, { tables: ['t'] }).capabilities,
      facts: { ...SQLITE_CHANGE_FACTS, wakes: true, unreachable: true },
    },
    open: async () => {
      const folder = await temporaryFolder()
      const path = folder.path('data.db')
      const harness = {
        openSession: async () => openSession(path),
        openOracle: async () => openOracle(path),
        source: ({ tables, name }: ChangeSourceOptions) => sqliteChanges({ path }, { tables: tables.map((table) => quote(table.name)), name, replace }),
        recursiveTriggers,
        file: databaseFile(path, folder.path('backup.db')),
        unreachable: () => ({ source: sqliteChanges({ path: folder.path('missing', SECRET) }, { tables: ['t'] }), secret: 'nothing of a row' }),
        dispose: () => folder.remove(),
      } satisfies SqliteChangeHarnessConfig
      return sqliteChangeHarness(harness)
    },
  }
}

export function openSession(path: string): { execute(sql: string): Promise<void>; close(): Promise<void> } {
  const database = open(path)
  return { execute: async (sql) => database.exec(sql), close: async () => database.close() }
}

export function openOracle(path: string): { query(sql: string): Promise<readonly RowValues[]>; close(): Promise<void> } {
  const database = open(path)
  return { query: async (sql) => readRows(database, sql), close: async () => database.close() }
}

function open(path: string): DatabaseSync {
  const database = new DatabaseSync(path)
  database.exec('pragma journal_mode = wal; pragma synchronous = off')
  return database
}

function readRows(database: DatabaseSync, sql: string): readonly RowValues[] {
  const statement = database.prepare(sql)
  statement.setReadBigInts(true)
  statement.setReturnArrays(true)
  const rows: readonly unknown[] = statement.all()
  // Typed as objects; with arrays asked for, every row is one of the values that SQLite has.
  return rows as readonly RowValues[]
}

/** What is done to a file while nobody has it open. */
export function databaseFile(path: string, backup: string): SqliteFile {
  const remove = async (): Promise<void> => {
    for (const suffix of ['', '-wal', '-shm']) await rm(path + suffix, { force: true })
  }
  return {
    backup: () => copyFile(path, backup),
    restore: async () => {
      await remove()
      await copyFile(backup, path)
    },
    remove: async () => {
      await remove()
      // An application's next start makes the file; a source only takes one that is there.
      open(path).close()
    },
  }
}
