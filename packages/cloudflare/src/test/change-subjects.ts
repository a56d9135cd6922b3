import { SQLITE_CHANGE_FACTS, sqliteChangeHarness, type ChangeFacts, type ChangeSubject } from '@tidemark/conformance'
import type { RowValues } from '@tidemark/core/adapter'
import { quote } from '@tidemark/sqlite'
import type { D1Database } from '../d1-database.ts'
import { d1Changes } from '../d1-changes.ts'
import { durableObjectChanges } from '../durable-object-changes.ts'
import type { DurableObjectStorage } from '../durable-object-storage.ts'
import { bound } from './bound-literals.ts'
import { eraseD1 } from './erase-d1.ts'
import { BufferedSession, type RunStatements } from './buffered-session.ts'

export interface ErasableStorage extends DurableObjectStorage {
  deleteAll(): Promise<void>
}

/** Neither host has files to copy. */
const FACTS: ChangeFacts = { ...SQLITE_CHANGE_FACTS, restores: false }

interface Database {
  readonly run: RunStatements
  query(sql: string): Promise<readonly RowValues[]>
  erase(): Promise<void>
}

/** On the object that this runs in, which must be a new one for each case. */
export function durableObjectSubject(storage: ErasableStorage): ChangeSubject {
  const source = (tables: readonly string[], name?: string) => durableObjectChanges(storage, { tables, name })
  return {
    name: 'Durable Object',
    traits: { capabilities: source(['t']).capabilities, facts: FACTS },
    open: () => harnessOf(objectDatabase(storage), source),
  }
}

/** Erases the database for each case. */
export function d1Subject(database: D1Database): ChangeSubject {
  const source = (tables: readonly string[], name?: string) => d1Changes(database, { tables, name })
  return {
    name: 'D1',
    traits: { capabilities: source(['t']).capabilities, facts: FACTS },
    open: async () => {
      const opened = d1Database(database)
      await opened.erase()
      return harnessOf(opened, source)
    },
  }
}

function harnessOf(database: Database, source: (tables: readonly string[], name: string) => ReturnType<typeof d1Changes>): ReturnType<typeof sqliteChangeHarness> {
  const refuse = (): Promise<void> => Promise.reject(new TypeError('There is no file.'))
  return sqliteChangeHarness({
    openSession: async () => new BufferedSession(database.run),
    openOracle: async () => ({ query: (sql) => database.query(sql), close: async () => {} }),
    source: ({ tables, name }) => source(tables.map((table) => quote(table.name)), name),
    file: { backup: refuse, restore: refuse, remove: () => database.erase() },
    dispose: async () => {},
  })
}

class TakenBack extends Error {}

function objectDatabase(storage: ErasableStorage): Database {
  return {
    run: async (statements, outcome) => {
      try {
        storage.transactionSync(() => {
          for (const { sql, bytes } of statements.map(bound)) storage.sql.exec(sql, ...bytes)
          if (outcome === 'take back') throw new TakenBack()
        })
      } catch (error) {
        if (!(error instanceof TakenBack)) throw error
      }
    },
    // Numbers that are rounded are told by the texts beside them.
    query: async (sql) => Array.from(storage.sql.exec(sql).raw()) as readonly RowValues[],
    erase: () => storage.deleteAll(),
  }
}

const FAILS = 'select abs(-9223372036854775808)'

function d1Database(database: D1Database): Database {
  const query = async (sql: string): Promise<readonly RowValues[]> => await database.prepare(sql).raw() as readonly RowValues[]
  return {
    query,
    run: async (statements, outcome) => {
      const batch = outcome === 'keep' ? statements : [...statements, FAILS]
      try {
        await database.batch(batch.map(bound).map(({ sql, bytes }) => database.prepare(sql).bind(...bytes)))
      } catch (error) {
        if (outcome === 'keep' || !String(error).includes('integer overflow')) throw error
      }
    },
    erase: () => eraseD1(database),
  }
}
