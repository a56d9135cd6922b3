import type { LogPosition } from '@tidemark/core/adapter'
import type { SqliteChanges } from '@tidemark/sqlite'
import type { D1Database, D1Statement } from '../d1-database.ts'
import { d1Changes } from '../d1-changes.ts'
import { d1Source } from '../d1-source.ts'
import { d1StateStore } from '../d1-state-store.ts'
import { d1Target } from '../d1-target.ts'
import { replacedCopy } from './replaced-copy.ts'
import { codeOf, readOn, type Scenario, type ScenarioHost } from './scenario-host.ts'

export function d1Host(database: D1Database): ScenarioHost {
  return {
    changes: (options) => d1Changes(database, options),
    stateStore: () => d1StateStore(database),
    source: () => d1Source(database),
    target: () => d1Target(database),
    rows: (query) => database.prepare(query).raw(),
    run: async (...statements) => {
      for (const sql of statements) await database.prepare(sql).raw()
    },
    bind: async (statement, ...values) => void await database.prepare(statement).bind(...values).raw(),
    interrupted: (words, statement) => d1Host(interruptedDatabase(database, words, statement)),
  }
}

function interruptedDatabase(database: D1Database, words: string, statement: string): D1Database {
  let isDone = false
  const interrupting = (real: D1Statement): D1Statement => ({
    bind: (...values) => interrupting(real.bind(...values)),
    raw: async () => {
      const rows = await real.raw()
      if (!isDone) await database.prepare(statement).raw()
      isDone = true
      return rows
    },
  })
  return { batch: (statements) => database.batch(statements), prepare: (query) => (!isDone && query.includes(words) ? interrupting(database.prepare(query)) : database.prepare(query)) }
}

/** What comes of others who write between what a transaction reads and what it writes. */
export const d1Scenarios: Readonly<Record<string, Scenario<ScenarioHost>>> = {
  lateReference: (host) => replacedCopy(host, { isLate: true }),

  /** Several make the log at once, while tables change: one log, with the tables of all. */
  concurrentInstalls: async ({ changes, run }) => {
    const tables = ['a', 'b', 'c', 'd']
    await run(...tables.map((table) => `CREATE TABLE ${table} (id INTEGER PRIMARY KEY)`))
    await Promise.all([...tables.map((table) => changes({ tables: [table] }).install()), run('ALTER TABLE a ADD COLUMN x', 'ALTER TABLE d ADD COLUMN x')])
    await using connection = await changes({ tables: ['a'] }).connect()
    const start = await connection.head()
    await run(...tables.map((table, index) => `INSERT INTO ${table} (id) VALUES (${index})`))
    const { events } = await readOn(connection, start)
    return [(await connection.tables()).map(({ name, columns }) => `${name} ${columns.length}`).sort(), events.map(({ table, after }) => [table, after])]
  },

  takenOver: async ({ changes, run }) => {
    await run('CREATE TABLE t (id INTEGER PRIMARY KEY)')
    await using connection = await changes({ tables: ['t'] }).connect()
    const position = await connection.head()
    const fence = await connection.leases.acquireLease({ lease: 'l', holder: 'a', nowMs: 0, ttlMs: 1 })
    await connection.leases.acquireLease({ lease: 'l', holder: 'b', nowMs: 10, ttlMs: 1 })
    if (fence === undefined) return 'no lease'
    return [await codeOf(connection.retain({ consumer: 'c', position, fence })), await connection.retained('c')]
  },

  /** Refused, and then done as the error says. */
  alter: async ({ changes, run }) => {
    await run('CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)', 'CREATE TABLE o (id INTEGER PRIMARY KEY)')
    const source = changes({ tables: ['t', 'o'] })
    await source.install()
    const refused = await codeOf(source.alter('ALTER TABLE t DROP COLUMN a'))
    const start = await headOf(source)
    await run('INSERT INTO t VALUES (1, 2, 3)')
    await source.uninstall({ tables: ['t'] })
    await run('ALTER TABLE t DROP COLUMN a')
    await using connection = await source.connect()
    await run('INSERT INTO t VALUES (2, 4)')
    return [refused, (await readOn(connection, start)).events.map(({ op, after }) => [op, after])]
  },
}

async function headOf(source: SqliteChanges): Promise<LogPosition> {
  await using connection = await source.connect()
  return await connection.head()
}
