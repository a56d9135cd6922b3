import { dirname } from 'node:path'
import { createConnection } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startMysql, type TestServer } from './index.ts'
import { crashParent } from './test/crash-parent.ts'
import { mysqlForTests } from './vitest/for-tests.ts'

async function query(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const connection = await createConnection(url)
  try {
    const [rows] = await connection.query(text)
    // Every statement below returns rows or is not looked at.
    return rows as readonly Record<string, unknown>[]
  } finally {
    await connection.end()
  }
}

describe.each(['mariadb', 'mysql'] as const)('%s', (engine) => {
  let server: TestServer

  beforeAll(async () => {
    server = await startMysql({ engine, restartable: true })
  })

  afterAll(async () => await server[Symbol.asyncDispose]())

  test('answers as the engine it was asked for', async () => {
    const [row] = await query(server.url(), 'select version() as version')
    expect(row?.['version']).toBe(server.version)
    expect(/mariadb/i.test(server.version)).toBe(engine === 'mariadb')
  })

  test('writes a row log, and its user may read it and is no superuser', async () => {
    await using database = await server.createDatabase()
    const [before] = await query(database.url, 'show master status')
    await query(database.url, 'create table item (id int primary key)')
    await query(database.url, 'insert into item values (1)')
    const events = await query(database.url, `show binlog events in '${String(before?.['File'])}' from ${String(before?.['Position'])}`)
    const types = events.map((event) => String(event['Event_type']))
    expect(types.filter((type) => type.startsWith('Write_rows'))).toHaveLength(1)
    await expect(query(database.url, 'set global max_connections = 10')).rejects.toMatchObject({ errno: 1227 })
  })

  test.each(['graceful', 'kill'] as const)('a restart (%s) keeps committed data, the address and the users', async (mode) => {
    await using database = await server.createDatabase()
    await query(database.url, 'create table kept (answer int) engine = innodb')
    await query(database.url, 'insert into kept values (42)')
    await server.restart(mode)
    const [row] = await query(database.url, 'select answer from kept')
    expect(row?.['answer']).toBe(42)
  })
})

test('MySQL has global transaction ids on', async () => {
  const server = await mysqlForTests({ engine: 'mysql' })
  const [row] = await query(server.url(), 'select @@global.gtid_mode as mode')
  expect(row?.['mode']).toBe('ON')
})

test('MariaDB logs column names and signs with its rows', async () => {
  const server = await mysqlForTests({ engine: 'mariadb' })
  const [row] = await query(server.url(), 'select @@global.binlog_row_metadata as metadata')
  expect(row?.['metadata']).toBe('FULL')
})

test('a killed parent leaves neither a server nor a folder behind', async () => {
  await crashParent('mariadb', async (info) => {
    const [row] = await query(info.superuserBaseUrl, 'select @@datadir as folder')
    return dirname(String(row?.['folder']))
  })
})

test('a database is dropped under the feet of an open transaction', async () => {
  const server = await mysqlForTests()
  const database = await server.createDatabase()
  const session = await createConnection(database.url)
  session.on('error', () => {})
  await session.query('create table item (id int)')
  await session.beginTransaction()
  await session.query('insert into item values (1)')
  await database[Symbol.asyncDispose]()
  await expect(query(database.url, 'select 1')).rejects.toMatchObject({ errno: 1049 })
  session.destroy()
})
