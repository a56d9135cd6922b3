import { randomBytes } from 'node:crypto'
import { createConnection, type Connection } from 'mysql2/promise'
import { mysqlForTests } from '@tidemark/test-servers/vitest'
import type { TableSchema } from '@tidemark/core/adapter'
import { mysqlSource } from '../mysql-source.ts'
import { MysqlSourceConnection } from '../mysql-source-connection.ts'
import { readConfig } from '../connection-settings.ts'
import { quoteIdentifier } from '../quote.ts'

/** Set by the lane that runs these files a second time. */
const engine = process.env['TIDEMARK_TEST_ENGINE'] === 'mysql' ? 'mysql' : 'mariadb'
const server = await mysqlForTests({ engine })

/** The superuser's URL of the server that the run shares. */
export function serverUrl(): string {
  return server.superuserUrl()
}

/** A database of its own on the test server, with a connection that writes to it. */
export interface TestDatabase extends AsyncDisposable {
  readonly name: string
  /** Of the source's user, into this database. */
  readonly url: string
  readonly writer: Connection
  readonly isMariaDb: boolean
  connectWriter(): Promise<Connection>
  /** The adapter under test, and a table described by it. */
  connectSource(): Promise<MysqlSourceConnection>
}

export async function openTestDatabase(): Promise<TestDatabase> {
  const name = `tidemark_${randomBytes(6).toString('hex')}`
  const admin = await createConnection(serverUrl())
  await admin.query(`CREATE DATABASE ${quoteIdentifier(name)} CHARACTER SET utf8mb4`)
  const url = serverUrl().replace(/\/[^/]*$/u, `/${name}`)
  const writers: Connection[] = []
  const sources: MysqlSourceConnection[] = []
  const connectWriter = async (): Promise<Connection> => {
    const writer = await createConnection({ uri: url, charset: 'utf8mb4', timezone: 'Z', multipleStatements: true })
    writers.push(writer)
    await writer.query('SET time_zone = \'+00:00\', sql_mode = \'\', innodb_lock_wait_timeout = 50')
    return writer
  }
  const writer = await connectWriter()
  const [rows] = await admin.query({ sql: 'SELECT VERSION()', rowsAsArray: true })
  return {
    name, url, writer, connectWriter,
    isMariaDb: JSON.stringify(rows).includes('MariaDB'),
    connectSource: async () => {
      const source = new MysqlSourceConnection(readConfig({ url }))
      sources.push(source)
      await source.open({})
      return source
    },
    [Symbol.asyncDispose]: async () => {
      for (const source of sources) await source[Symbol.asyncDispose]()
      for (const connection of writers) connection.destroy()
      await admin.query(`DROP DATABASE ${quoteIdentifier(name)}`)
      await admin.end()
    },
  }
}

export async function describe(database: TestDatabase, source: MysqlSourceConnection, table: string, overrides = {}): Promise<TableSchema> {
  return source.describeTable(mysqlSource({ url: database.url }).parseTable(table), { overrides })
}
