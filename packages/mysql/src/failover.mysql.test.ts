import { startFaultProxy, startMysql, type FaultProxy, type TestServer } from '@tidemark/test-servers'
import { createConnection, type Connection } from 'mysql2/promise'
import { afterAll, beforeAll, describe as group, expect, it } from 'vitest'
import type { Mark, RowPage, TableSchema } from '@tidemark/core/adapter'
import { readConfig } from './connection-settings.ts'
import { MysqlSourceConnection } from './mysql-source-connection.ts'

/** Of its own: what is changed here holds for a whole server. */
let server: TestServer
let admin: Connection
let proxy: FaultProxy
let source: MysqlSourceConnection
let table: TableSchema

beforeAll(async () => {
  server = await startMysql({ engine: process.env['TIDEMARK_TEST_ENGINE'] === 'mysql' ? 'mysql' : 'mariadb', restartable: true })
  admin = await createConnection({ uri: server.superuserUrl(), multipleStatements: true })
  await admin.query('CREATE DATABASE f; CREATE TABLE f.t (id INT PRIMARY KEY); INSERT INTO f.t VALUES (1)')
  proxy = await startFaultProxy({ target: server, seed: 1 })
  source = new MysqlSourceConnection(readConfig({ url: proxy.through(server.superuserUrl('f')) }))
  table = await source.describeTable({ schema: 'f', name: 't' })
})

afterAll(async () => {
  await source[Symbol.asyncDispose]()
  await proxy[Symbol.asyncDispose]()
  await admin.end()
  await server[Symbol.asyncDispose]()
})

const MARKS: readonly Mark[] = [{ cursor: { tracking: '1', key: ['1'] }, fence: 'locks@1', readAtMs: 0 }]

function read(): Promise<RowPage> {
  return source.readRows({ table, columns: table.columns, key: ['id'], tracking: 'id', limit: 10, marks: MARKS })
}

async function setReadOnly(value: 0 | 1): Promise<void> {
  await admin.query(`SET GLOBAL read_only = ${value}`)
}

group('a server whose writers went elsewhere', () => {
  it('proves nothing by locks any more, from the page on in which it is seen', async () => {
    expect(await read()).toMatchObject({ settledMarks: 1, fence: expect.stringMatching(/^locks@/u) as string })
    await setReadOnly(1)
    // Its locks were granted, for what that is worth on a copy.
    expect(await read()).toMatchObject({ rows: [[1]], settledMarks: 0 })
    expect(await read()).toMatchObject({ rows: [[1]], fence: expect.stringMatching(/^grace@/u) as string })
    await setReadOnly(0)
    expect(await read()).toMatchObject({ settledMarks: 0 })
    expect(await read()).toMatchObject({ settledMarks: 1, fence: expect.stringMatching(/^locks@/u) as string })
  })

  it('is asked anew by each connection, also when one address leads to another server', async () => {
    expect((await read()).fence).toMatch(/^locks@/u)
    await setReadOnly(1)
    proxy.cutAll()
    await expect(read()).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' })
    expect((await read()).fence).toMatch(/^grace@/u)
    await setReadOnly(0)
  })
})
