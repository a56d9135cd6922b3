import { startMysql } from '@tidemark/test-servers'
import { createConnection } from 'mysql2/promise'
import { createMixedMysql } from '../tables/mixed-mysql.ts'

/** A server with a database that holds the mixed table, for as long as the work takes. */
export async function withMixedMysql<T>(rows: number, work: (url: string) => Promise<T>): Promise<T> {
  const server = await startMysql()
  try {
    const database = await server.createDatabase()
    try {
      const connection = await createConnection({ uri: database.url, multipleStatements: true })
      await createMixedMysql(connection, rows)
      await connection.end()
      return await work(database.url)
    } finally {
      await database[Symbol.asyncDispose]()
    }
  } finally {
    await server[Symbol.asyncDispose]()
  }
}
