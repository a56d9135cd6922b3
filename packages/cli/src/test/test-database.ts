import postgres from 'postgres'
import { afterAll, beforeAll } from 'vitest'

/** A superuser's URL of a server that tests may create databases on. */
export function testServerUrl(): string {
  return process.env['TIDEMARK_TEST_POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/test'
}

export interface TestDatabase {
  /** URL of a database of this file's own. */
  readonly url: string
  /** One session, so that a lock taken by one call is released by another. */
  readonly execute: (text: string) => Promise<Record<string, unknown>[]>
}

/** A new database for one test file, dropped afterwards. */
export function useTestDatabase(label: string): TestDatabase {
  const name = `tidemark_${label}_${process.pid}`
  const url = new URL(testServerUrl())
  url.pathname = `/${name}`
  const admin = postgres(testServerUrl(), { max: 1, onnotice: () => undefined })
  const owner = postgres(url.href, { max: 1, idle_timeout: 0, max_lifetime: null, onnotice: () => undefined })
  beforeAll(async () => {
    await admin.unsafe(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    await admin.unsafe(`CREATE DATABASE ${name}`)
  })
  afterAll(async () => {
    await owner.end({ timeout: 1 })
    await admin.unsafe(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    await admin.end({ timeout: 1 })
  })
  return { url: url.href, execute: async (text) => [...await owner.unsafe(text)] }
}
