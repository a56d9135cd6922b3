import { postgresForTests } from '@tidemark/test-servers/vitest'
import postgres from 'postgres'
import { afterAll } from 'vitest'

const server = await postgresForTests()

/** A superuser's URL of a server that tests may create databases on. */
export function testServerUrl(): string {
  return server.superuserUrl()
}

export interface TestDatabase {
  /** URL of a database of this file's own, as its owner and superuser. */
  readonly url: string
  readonly name: string
  /** Runs statements as the owner. */
  readonly execute: (text: string) => Promise<unknown[]>
}

/** A new database for one test file, dropped afterwards. */
export async function useTestDatabase(label: string): Promise<TestDatabase> {
  const database = await server.createDatabase(`tidemark_${label}_${process.pid}`)
  const owner = postgres(database.superuserUrl, { max: 2, onnotice: () => undefined })
  afterAll(async () => {
    await owner.end({ timeout: 1 })
    await database[Symbol.asyncDispose]()
  })
  return { url: database.superuserUrl, name: database.name, execute: async (text) => [...await owner.unsafe(text)] }
}
