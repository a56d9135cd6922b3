import { COLUMN_KINDS, sqliteSyntax, sqlSourceHarness, type SourceFacts, type SourceHarness, type SourceSubject } from '@tidemark/conformance'
import type { SourceDialect } from '@tidemark/core/adapter'
import type { D1Database } from '../d1-database.ts'
import { d1Source } from '../d1-source.ts'
import { durableObjectSource } from '../durable-object-source.ts'
import { bound } from './bound-literals.ts'
import { eraseD1 } from './erase-d1.ts'
import type { ErasableStorage } from './change-subjects.ts'

/** One writer at a time, and no other place to point either of them at. */
const FACTS: SourceFacts = {
  kinds: COLUMN_KINDS, textHoldsNul: true, maxNameLength: 63, reportsIndexes: true, openTransactions: false, blocksReads: false, killsConnections: false,
  unreachable: false, wrongPassword: false, holdsMarksBack: false, settlesNextToWriter: true,
}

/** On the object that this runs in, which must be a new one for each case. */
export function durableObjectSourceSubject(storage: ErasableStorage): SourceSubject {
  const source = (): SourceDialect => durableObjectSource(storage)
  return {
    name: 'Durable Object',
    traits: { capabilities: source().capabilities, facts: FACTS },
    open: () => harnessOf(source, async (statement) => {
      const { sql, bytes } = bound(statement)
      storage.sql.exec(sql, ...bytes)
    }),
  }
}

/** Erases the database for each case. */
export function d1SourceSubject(database: D1Database): SourceSubject {
  const source = (): SourceDialect => d1Source(database)
  return {
    name: 'D1',
    traits: { capabilities: source().capabilities, facts: FACTS },
    open: async () => {
      await eraseD1(database)
      return harnessOf(source, async (statement) => {
        const { sql, bytes } = bound(statement)
        await database.prepare(sql).bind(...bytes).raw()
      })
    },
  }
}

function harnessOf(source: () => SourceDialect, execute: (sql: string) => Promise<void>): Promise<SourceHarness> {
  return sqlSourceHarness({
    source, syntax: sqliteSyntax,
    openSession: async () => ({ execute, close: async () => {} }),
    dispose: async () => {},
  })
}
