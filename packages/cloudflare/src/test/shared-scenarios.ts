import type { ChangeEvent } from '@tidemark/core'
import type { ChangeConnection } from '@tidemark/core/adapter'
import { copiedTables } from './copied-tables.ts'
import { replacedCopy } from './replaced-copy.ts'
import { codeOf, LIMIT, readOn, type Scenario, type ScenarioHost } from './scenario-host.ts'

const MEGABYTE = 1_000_000

async function keysOf(connection: ChangeConnection, table: string): Promise<readonly unknown[]> {
  const keys: unknown[] = []
  for (let after: string | undefined; ;) {
    const chunk = await connection.readChunk?.({ table, after, limit: { ...LIMIT, events: 1 } })
    keys.push(...chunk?.events.map(({ key }) => Object.values(key ?? {})) ?? [])
    after = chunk?.last
    if (chunk?.isLast !== false) return keys
  }
}

/** What both hosts must do. */
export const sharedScenarios: Readonly<Record<string, Scenario<ScenarioHost>>> = {
  copiedTables,

  replacedCopy: (host) => replacedCopy(host, { isLate: false }),

  /** A key of every kind of value, in chunks of one row each: each is compared with again. */
  keys: async ({ changes, run }) => {
    await run(
      'CREATE TABLE t (a, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID',
      `INSERT INTO t VALUES (9007199254740993, 'x'), (9007199254740992, 'x'), (-9223372036854775808, 'x'), (9223372036854775807, 'x'), (1, 'y'), (1.5, 'x'),
        (-9e999, 'x'), ('5', 'x'), ('', 'x'), (char(1) || '7', char(0)), (char(1), 'x'), (x'00ff', 'x'), (x'', 'x')`,
      'CREATE TABLE u (a, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID',
      `INSERT INTO u VALUES (9e999, 'x'), (9e999, 'y'), ('9', 'x')`,
      'CREATE TABLE v (a PRIMARY KEY) WITHOUT ROWID', `INSERT INTO v VALUES (9223372036854775807), ('5')`,
    )
    await using connection = await changes({ tables: ['t', 'u', 'v'] }).connect()
    return [await keysOf(connection, 't'), await keysOf(connection, 'u'), await keysOf(connection, 'v')]
  },

  values: async ({ changes, run }) => {
    await run('CREATE TABLE t (id INTEGER PRIMARY KEY, v, n INT)')
    await using connection = await changes({ tables: ['t'], onInvalidText: 'replace' }).connect()
    const start = await connection.head()
    await run(
      `INSERT INTO t VALUES (1, 1, 9007199254740993), (2, 1.0, 7), (3, -9e999, NULL), (4, 'a' || char(0) || 'b', 0), (5, char(1) || 't', 0), (6, CAST(x'41ff' AS TEXT), -9223372036854775808), (7, x'01ff', 1)`,
      'UPDATE t SET v = v, n = n + 1 WHERE id = 2',
    )
    const { events } = await readOn(connection, start)
    return events.map(({ op, before, after }) => [op, before, after])
  },

  /** Texts and bytes near the limit of two megabytes a row, which both images of an update together are beyond. */
  large: async ({ changes, run, bind }) => {
    await run('CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b BLOB)')
    await using connection = await changes({ tables: ['t'] }).connect()
    const start = await connection.head()
    await bind('INSERT INTO t VALUES (1, ?, ?)', 'é'.repeat(MEGABYTE * 0.4), new Uint8Array(MEGABYTE))
    await bind('UPDATE t SET a = ?', 'x'.repeat(MEGABYTE * 0.9))
    const { events } = await readOn(connection, start)
    const chunk = await connection.readChunk?.({ table: 't', limit: LIMIT })
    return [...events, ...chunk?.events ?? []].map(({ op, before, after }) => [op, before, after])
  },

  /** As wide as it goes, and one more. */
  wide: async ({ changes, run }) => {
    const columns = (count: number): string => Array.from({ length: count }, (_, index) => `c${index}`).join(', ')
    await run(`CREATE TABLE t (id INTEGER PRIMARY KEY, ${columns(94)})`, `CREATE TABLE u (id INTEGER PRIMARY KEY, ${columns(95)})`)
    await using connection = await changes({ tables: ['t'] }).connect()
    const start = await connection.head()
    await run('INSERT INTO t (id, c93) VALUES (1, 2)', 'UPDATE t SET c0 = 3')
    const { events } = await readOn(connection, start)
    const chunk = await connection.readChunk?.({ table: 't', limit: LIMIT })
    return [events.map(({ op, after }) => [op, after?.['c0'], after?.['c93']]), chunk?.events.length, await codeOf(changes({ tables: ['u'] }).install())]
  },

  /** More unique keys than a compound SELECT may have terms there. */
  uniqueKeys: async ({ changes, run }) => {
    await run('CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE, b UNIQUE, c UNIQUE, d UNIQUE, e UNIQUE, f UNIQUE, g UNIQUE)')
    await using connection = await changes({ tables: ['t'] }).connect()
    const start = await connection.head()
    await run(
      'INSERT INTO t VALUES (1, 1, 1, 1, 1, 1, 1, 1), (2, 2, 2, 2, 2, 2, 2, 2), (3, 3, 3, 3, 3, 3, 3, 3)',
      'INSERT OR REPLACE INTO t VALUES (4, 1, 9, 9, 9, 9, 9, 3)',
    )
    return brief((await readOn(connection, start)).events)
  },

  schemaChanges: async ({ changes, run }) => {
    await run('CREATE TABLE t (id INTEGER PRIMARY KEY, a)')
    await using connection = await changes({ tables: ['t'] }).connect()
    const start = await connection.head()
    await run('ALTER TABLE t ADD COLUMN b DEFAULT 7', 'INSERT INTO t VALUES (1, 2, 3)', 'ALTER TABLE t RENAME COLUMN a TO c', 'CREATE TABLE other (x)', 'INSERT INTO t VALUES (2, 3, 4)')
    const { events, position } = await readOn(connection, start)
    await run('DROP TABLE t', 'CREATE TABLE t (id INTEGER PRIMARY KEY)', 'INSERT INTO t VALUES (1)')
    return [(await connection.tables()).map(({ columns }) => columns.map(({ name }) => name)), events.at(-1)?.after, await codeOf(readOn(connection, position))]
  },

  /** A table is changed between what a transaction reads of it and the triggers that it makes. */
  changedMeanwhile: async ({ run, interrupted }) => {
    await run('CREATE TABLE t (id INTEGER PRIMARY KEY)')
    await using connection = await interrupted('pragma_table_xinfo', 'ALTER TABLE t ADD COLUMN a').changes({ tables: ['t'] }).connect()
    const start = await connection.head()
    await run('INSERT INTO t VALUES (1, 2)')
    return (await readOn(connection, start)).events.map(({ after }) => after)
  },

  state: async ({ stateStore }) => {
    await using store = stateStore()
    const first = await store.set('a', 'one', undefined)
    const second = await store.set('a', 'two', first)
    const codes = [await codeOf(store.set('a', 'three', first)), await codeOf(store.set('a', 'three', undefined)), await codeOf(store.set('b', 'x', 1))]
    const found = await store.get('a')
    await store.delete('a')
    return { second, codes, found, left: await store.list('') }
  },

  /** Of many who want a lease one gets it, and of many who write a version one does. */
  contended: async ({ changes, run, stateStore }) => {
    await run('CREATE TABLE t (id INTEGER PRIMARY KEY)')
    await using connection = await changes({ tables: ['t'] }).connect()
    const asks = Array.from({ length: 4 }, (_, index) => connection.leases.acquireLease({ lease: 'l', holder: `h${index}`, nowMs: 0, ttlMs: 1_000 }))
    const fences = (await Promise.all(asks)).filter((fence) => fence !== undefined)
    await using one = stateStore()
    await using other = stateStore()
    const codes = await Promise.all([one, other].map((store) => codeOf(store.set('k', 'v', undefined))))
    return [fences.map(({ token }) => token), codes.sort()]
  },

  /** The schema is as it was when everything is taken away. */
  uninstall: async ({ changes, run }) => {
    await run('CREATE TABLE t (id INTEGER PRIMARY KEY)')
    const source = changes({ tables: ['t'] })
    await source.install()
    const installed = await source.status()
    await source.uninstall()
    return [installed.isInstalled, installed.tables.map(({ name }) => name), await source.status()]
  },
}

export function brief(events: readonly ChangeEvent[]): readonly string[] {
  return events.map(({ op, key }) => `${op} ${String(key?.['id'])}`)
}
