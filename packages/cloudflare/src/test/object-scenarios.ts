import { durableObjectChanges } from '../durable-object-changes.ts'
import { durableObjectSource } from '../durable-object-source.ts'
import { durableObjectStateStore } from '../durable-object-state-store.ts'
import { durableObjectTarget } from '../durable-object-target.ts'
import type { ErasableStorage } from './change-subjects.ts'
import { codeOf, LIMIT, readOn, type Scenario, type ScenarioHost } from './scenario-host.ts'
import { brief } from './shared-scenarios.ts'

export interface ObjectHost extends ScenarioHost {
  readonly storage: ObjectStorage
}

export interface ObjectStorage extends ErasableStorage {
  transaction<T>(closure: () => Promise<T>): Promise<T>
}

export function objectHost(storage: ObjectStorage): ObjectHost {
  return {
    storage,
    changes: (options) => durableObjectChanges(storage, options),
    stateStore: () => durableObjectStateStore(storage),
    source: () => durableObjectSource(storage),
    target: () => durableObjectTarget(storage),
    rows: async (query) => Array.from(storage.sql.exec(query).raw()),
    run: async (...statements) => {
      for (const sql of statements) storage.sql.exec(sql)
    },
    bind: async (statement, ...values) => void storage.sql.exec(statement, ...values),
    interrupted: (words, statement) => objectHost(interruptedStorage(storage, words, statement)),
  }
}

function interruptedStorage(storage: ObjectStorage, words: string, statement: string): ObjectStorage {
  let isDone = false
  return {
    transactionSync: (closure) => storage.transactionSync(closure),
    transaction: (closure) => storage.transaction(closure),
    deleteAll: () => storage.deleteAll(),
    sync: () => storage.sync(),
    sql: {
      exec: (query, ...bindings) => {
        const cursor = storage.sql.exec(query, ...bindings)
        if (isDone || !query.includes(words)) return cursor
        isDone = true
        const rows = Array.from(cursor.raw())
        storage.sql.exec(statement)
        return { raw: () => rows }
      },
    },
  }
}

/** What only an object has: one connection for all, transactions that may be open while others read, `alter`. */
export const objectScenarios: Readonly<Record<string, Scenario<ObjectHost>>> = {
  /** A column that triggers name, and a table that is made anew. */
  alter: async ({ changes, run }) => {
    await run('CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)', 'CREATE TABLE o (id INTEGER PRIMARY KEY, a)', 'INSERT INTO o VALUES (1, 5)')
    const source = changes({ tables: ['t', 'o'] })
    await using connection = await source.connect()
    const start = await connection.head()
    await source.alter('ALTER TABLE t DROP COLUMN a')
    await source.alter(['CREATE TABLE n (id INTEGER PRIMARY KEY, a TEXT NOT NULL)', 'INSERT INTO n SELECT * FROM o', 'DROP TABLE o', 'ALTER TABLE n RENAME TO o'])
    const failed = await codeOf(source.alter(['ALTER TABLE t ADD COLUMN z', 'ALTER TABLE t DROP COLUMN missing']))
    await run('INSERT INTO t VALUES (1, 2)', 'INSERT INTO o VALUES (2, 3)')
    return [failed, (await readOn(connection, start)).events.map(({ op, table, after }) => [op, table, after])]
  },

  /** The application writes and changes tables between the steps of a transaction of ours, which in the end fails or is run again. */
  interleaved: async ({ changes, run, storage }) => {
    await run('CREATE TABLE t (id INTEGER PRIMARY KEY)')
    const failing = codeOf(changes({ tables: ['t', 'missing'] }).install())
    const installing = changes({ tables: ['t'] }).install()
    for (let id = 1; id <= 40; id += 1) {
      await run(`INSERT INTO t (id) VALUES (${id})`)
      if (id === 20) await run('ALTER TABLE t ADD COLUMN a')
    }
    await installing
    await using connection = await changes({ tables: ['t'] }).connect()
    const start = await connection.head()
    await run('INSERT INTO t VALUES (100, 1)')
    const count = [...storage.sql.exec('SELECT count(*) FROM t').raw()]
    return [await failing, count, (await readOn(connection, start)).events.map(({ after }) => after)]
  },

  rolledBack: async ({ changes, run, storage }) => {
    await run('CREATE TABLE t (id INTEGER PRIMARY KEY)')
    await using connection = await changes({ tables: ['t'] }).connect()
    const start = await connection.head()
    try {
      storage.transactionSync(() => {
        storage.sql.exec('INSERT INTO t VALUES (1)')
        throw new RangeError('taken back')
      })
    } catch {
      // Nothing of it may be seen.
    }
    await run('INSERT INTO t VALUES (2)')
    return brief((await readOn(connection, start)).events)
  },

  /** A reader inside of an open transaction that is taken back: what it was given is a phantom, and it must not miss what came in its place. */
  readWhileOpen: async ({ changes, run, storage }) => {
    await run('CREATE TABLE t (id INTEGER PRIMARY KEY, a)')
    await using connection = await changes({ tables: ['t'] }).connect()
    let position = await connection.head()
    const seen: string[] = []
    try {
      await storage.transaction(async () => {
        storage.sql.exec('INSERT INTO t VALUES (1, \'gone\')')
        const slice = await connection.readChanges({ after: position, limit: LIMIT })
        seen.push(...brief(slice.events))
        position = slice.position
        throw new RangeError('taken back')
      })
    } catch {
      // As meant.
    }
    await run('INSERT INTO t VALUES (1, \'other\'), (2, \'more\')')
    return [seen, await codeOf(connection.readChanges({ after: position, limit: LIMIT }))]
  },
}
