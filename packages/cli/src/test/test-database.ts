import { postgresForTests } from '@tidemark/test-servers/vitest'
import postgres from 'postgres'
import { afterAll } from 'vitest'

const server = await postgresForTests()

export interface TestDatabase {
  /** URL of a database of this file's own. */
  readonly url: string
  /** One session, so that a lock taken by one call is released by another. */
  readonly execute: (text: string) => Promise<Record<string, unknown>[]>
}

/** A new database for one test file, dropped afterwards. */
export async function useTestDatabase(label: string): Promise<TestDatabase> {
  const database = await server.createDatabase(`tidemark_${label}_${process.pid}`)
  const owner = postgres(database.superuserUrl, { max: 1, idle_timeout: 0, max_lifetime: null, onnotice: () => undefined })
  afterAll(async () => {
    await owner.end({ timeout: 1 })
    await database[Symbol.asyncDispose]()
  })
  return { url: database.superuserUrl, execute: async (text) => [...await owner.unsafe(text)] }
}
