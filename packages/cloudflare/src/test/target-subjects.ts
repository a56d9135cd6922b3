import { sqliteTargetHarness, type TargetFacts, type TargetHarness, type TargetSubject } from '@tidemark/conformance'
import type { RowValues, TargetDialect } from '@tidemark/core/adapter'
import type { D1Database } from '../d1-database.ts'
import { d1Target } from '../d1-target.ts'
import { durableObjectTarget } from '../durable-object-target.ts'
import { eraseD1 } from './erase-d1.ts'
import type { ErasableStorage } from './change-subjects.ts'

/** There is no other place to point either of them at. */
const FACTS: TargetFacts = { reconnects: true, userTriggers: true, unreachable: false }

/** On the object that this runs in, which must be a new one for each case. */
export function durableObjectTargetSubject(storage: ErasableStorage): TargetSubject {
  const target = (): TargetDialect => durableObjectTarget(storage)
  return {
    name: 'Durable Object',
    traits: { capabilities: target().capabilities, facts: FACTS },
    open: async () => harnessOf(target, async (sql) => Array.from(storage.sql.exec(sql).raw()) as readonly RowValues[]),
  }
}

/** Erases the database for each case. */
export function d1TargetSubject(database: D1Database): TargetSubject {
  const target = (): TargetDialect => d1Target(database)
  return {
    name: 'D1',
    traits: { capabilities: target().capabilities, facts: FACTS },
    open: async () => {
      await eraseD1(database)
      return harnessOf(target, async (sql) => await database.prepare(sql).raw() as readonly RowValues[])
    },
  }
}

function harnessOf(target: () => TargetDialect, query: (sql: string) => Promise<readonly RowValues[]>): TargetHarness {
  return sqliteTargetHarness({
    target,
    oracle: { query, close: async () => {} },
    makeStateNewer: async (oracle, tablePrefix) => void await oracle.query(`update "${tablePrefix}meta" set value = '999' where key = 'schema_version'`),
    // The hosts' own tables are no tables of a user.
    ownPrefixes: ['tidemark_', 'other_', '_cf_'],
    dispose: async () => {},
  })
}
