import { startPostgres } from '@tidemark/test-servers'
import postgres from 'postgres'

export interface PostgresStage {
  readonly url: string
  readonly sql: postgres.Sql
}

/** A server with an empty database, for as long as the work takes. */
export async function withPostgres<T>(work: (stage: PostgresStage) => Promise<T>): Promise<T> {
  const server = await startPostgres()
  try {
    const database = await server.createDatabase()
    const sql = postgres(database.url, { max: 1, onnotice: () => {} })
    try {
      return await work({ url: database.url, sql })
    } finally {
      await sql.end({ timeout: 5 })
      await database[Symbol.asyncDispose]()
    }
  } finally {
    await server[Symbol.asyncDispose]()
  }
}
