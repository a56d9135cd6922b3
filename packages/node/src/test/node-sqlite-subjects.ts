import { DatabaseSync } from 'node:sqlite'
import {
  sqliteSyntax, sqliteTargetHarness, sqlSourceHarness, type SourceSubject, type SqliteOracle, type SqlSession, type TargetSubject,
} from '@tidemark/conformance'
import type { RowValues } from '@tidemark/core/adapter'
import { nodeSqliteSource } from '../node-sqlite-source.ts'
import { nodeSqliteTarget } from '../node-sqlite-target.ts'
import { raiseStateVersion } from './raise-state-version.ts'
import { SQLITE_SOURCE_FACTS } from './sqlite-source-facts.ts'
import { temporaryFolder } from './temporary-folder.ts'

export function nodeSqliteSourceSubject(): SourceSubject {
  return {
    name: 'node:sqlite',
    traits: { capabilities: nodeSqliteSource({ path: 'source.db' }).capabilities, facts: SQLITE_SOURCE_FACTS },
    open: async () => {
      const folder = await temporaryFolder()
      const path = folder.path('source.db')
      return sqlSourceHarness({
        syntax: sqliteSyntax,
        openSession: async () => openSession(path),
        source: () => nodeSqliteSource({ path }),
        unreachable: () => ({ source: nodeSqliteSource({ path: folder.path('missing', 'source.db') }), secret: 'hunter2' }),
        dispose: () => folder.remove(),
      })
    },
  }
}

/** `maxRowBytes` below SQLite's own limit makes the cases of too large rows apply. */
export function nodeSqliteTargetSubject(maxRowBytes?: number): TargetSubject {
  const limit = { maxRowBytes }
  return {
    name: maxRowBytes === undefined ? 'node:sqlite' : `node:sqlite with rows of at most ${maxRowBytes} bytes`,
    traits: {
      capabilities: nodeSqliteTarget({ path: 'target.db', ...limit }).capabilities,
      facts: { reconnects: true, userTriggers: true, unreachable: true },
    },
    open: async () => {
      const folder = await temporaryFolder()
      const path = folder.path('target.db')
      return sqliteTargetHarness({
        target: () => nodeSqliteTarget({ path, ...limit }),
        oracle: openOracle(path),
        makeStateNewer: raiseStateVersion,
        unreachable: () => nodeSqliteTarget({ path: folder.path('missing', 'target.db') }),
        dispose: () => folder.remove(),
      })
    },
  }
}

function openSession(path: string): SqlSession {
  const database = new DatabaseSync(path)
  database.exec('pragma journal_mode = wal; pragma synchronous = off')
  return { execute: async (sql) => database.exec(sql), close: async () => database.close() }
}

function openOracle(path: string): SqliteOracle {
  const database = new DatabaseSync(path)
  database.exec('pragma journal_mode = wal; pragma synchronous = off')
  return { query: async (sql) => readRows(database, sql), close: async () => database.close() }
}

function readRows(database: DatabaseSync, sql: string): readonly RowValues[] {
  const statement = database.prepare(sql)
  statement.setReadBigInts(true)
  statement.setReturnArrays(true)
  const rows: readonly unknown[] = statement.all()
  // Typed as objects; with arrays asked for, every row is one of the values that SQLite has.
  return rows as readonly RowValues[]
}
