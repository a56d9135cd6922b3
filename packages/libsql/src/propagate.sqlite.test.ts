import { createClient } from '@libsql/client'
import { Propagator, sqlPeer } from '@tidemark/core'
import { afterEach, describe, expect, it } from 'vitest'
import { libsqlChanges } from './libsql-changes.ts'
import type { LibsqlConfig } from './libsql-config.ts'
import { libsqlPropagationTarget } from './libsql-propagation-target.ts'
import { cells } from './test/cells.ts'
import { openDatabase } from './test/open-database.ts'
import { useFolder } from './test/use-folder.ts'

const path = useFolder()
const opened: AsyncDisposable[] = []

afterEach(async () => {
  for (const resource of opened.splice(0).toReversed()) await resource[Symbol.asyncDispose]()
})

function run(file: string, sql: string): void {
  const database = openDatabase(path(file))
  database.exec(sql)
  database.close()
}

/** In turn: a file of our own; whatever the application has a client of; a server, where one is given that may be written to. */
const serverUrl = process.env['TIDEMARK_TEST_LIBSQL_URL']
const peers: readonly (readonly [string, () => LibsqlConfig])[] = [
  ['a file', () => ({ url: `file:${path('b')}` })],
  ['a client', () => {
    const client = createClient({ url: `file:${path('b')}`, intMode: 'bigint', concurrency: 1 })
    opened.push({ [Symbol.asyncDispose]: async () => client.close() })
    // Not told to be a file, so that it is used itself, as a server's is.
    return { client: { ...bound(client), protocol: 'ws' } }
  }],
]

function bound(client: ReturnType<typeof createClient>): Extract<LibsqlConfig, { readonly client: unknown }>['client'] {
  return {
    protocol: client.protocol, execute: (statement) => client.execute(statement), batch: (statements, mode) => client.batch(statements, mode), transaction: (mode) => client.transaction(mode),
    executeMultiple: (sql) => client.executeMultiple(sql), close: () => client.close(),
  }
}

const SCHEMA = `CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, score REAL, photo BLOB, whatever); CREATE TABLE z_parent (id INTEGER PRIMARY KEY, v);
  CREATE TABLE a_child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES z_parent (id) ON DELETE CASCADE)`
const TABLES = ['t', 'a_child', 'z_parent']

describe.each(peers)('a libSQL peer by %s', (_name, config) => {
  it('has every row exactly, whatever cascades', async () => {
    run('a', `${SCHEMA}; INSERT INTO t VALUES (-9223372036854775808, 'é😀', 0.1, x'', 9223372036854775807), (9007199254740993, CAST(x'610062' AS TEXT), 5e-324, x'00ff7f', 1.0), (1, '', -9e999, NULL, 1);
      INSERT INTO z_parent VALUES (1, 'x'), (2, 'y'); INSERT INTO a_child VALUES (1, 1), (2, 1), (3, 2)`)
    run('b', `${SCHEMA}; INSERT INTO z_parent VALUES (1, 'old'), (7, 'old'); INSERT INTO a_child VALUES (2, 7), (8, 1)`)
    const peer = sqlPeer(libsqlPropagationTarget(config()), { name: 'b', replacesRows: true })
    const propagator = new Propagator({ source: libsqlChanges({ url: `file:${path('a')}` }, { tables: TABLES }), origin: 'a', peers: [peer] })
    opened.push(propagator)
    expect(await propagator.flush()).toMatchObject({ reached: ['b'] })
    expect(propagator.status().peers[0]?.tables).toEqual({})
    expectSame()
    run('a', `UPDATE z_parent SET v = 'z' WHERE id = 1; DELETE FROM z_parent WHERE id = 2; INSERT INTO a_child VALUES (9, NULL); UPDATE t SET id = 70, whatever = 9e999 WHERE id = 1; REPLACE INTO t (id) VALUES (9007199254740993)`)
    expect(await propagator.flush()).toMatchObject({ reached: ['b'] })
    expectSame()
    expect(propagator.status().peers[0]?.tables).toEqual({})
  })
})

describe.skipIf(serverUrl === undefined)('a libSQL server', () => {
  it('has every row exactly', async () => {
    const config = { url: serverUrl ?? '', authToken: process.env['TIDEMARK_TEST_LIBSQL_TOKEN'] ?? '' }
    const table = `t_${process.pid}`
    run('a', `CREATE TABLE ${table} (id INTEGER PRIMARY KEY, v); INSERT INTO ${table} VALUES (9223372036854775807, x'00ff'), (1, 1.0)`)
    const peer = sqlPeer(libsqlPropagationTarget(config), { name: 'b', followsSchema: true })
    const propagator = new Propagator({ source: libsqlChanges({ url: `file:${path('a')}` }, { tables: [table] }), origin: `a${process.pid}`, peers: [peer] })
    opened.push(propagator)
    expect(await propagator.flush()).toMatchObject({ reached: ['b'] })
    const client = createClient({ ...config, intMode: 'bigint' })
    const { rows } = await client.execute(`SELECT id, typeof(v), hex(v) FROM ${table} ORDER BY id`)
    await client.execute(`DROP TABLE ${table}`)
    client.close()
    expect(rows.map((row) => Array.from(row))).toEqual([[1n, 'real', '312E30'], [9223372036854775807n, 'blob', '00FF']])
  })
})

function expectSame(): void {
  for (const table of TABLES) expect([table, cells(path('b'), `SELECT * FROM ${table} ORDER BY id`)]).toEqual([table, cells(path('a'), `SELECT * FROM ${table} ORDER BY id`)])
}

it('takes no changes of several writers where foreign keys are enforced on what is applied', () => {
  const client = createClient({ url: `file:${path('b')}`, intMode: 'bigint', concurrency: 1 })
  opened.push({ [Symbol.asyncDispose]: async () => client.close() })
  const target = libsqlPropagationTarget({ client: { ...bound(client), protocol: 'ws' } })
  expect(() => sqlPeer(target, { name: 'b', origin: 'b', conflicts: 'last-writer-wins' })).toThrow(expect.objectContaining({ code: 'NOT_SUPPORTED' }))
})
