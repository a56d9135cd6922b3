import { startPostgres, type TestServer } from '@tidemark/test-servers'
import { afterAll, beforeAll, describe } from 'vitest'
import { postgresFixture } from './fixtures/postgres-fixture.ts'
import { weaknessTests } from './scenarios/weaknesses.ts'

let server: TestServer
beforeAll(async () => { server = await startPostgres() })
afterAll(() => server[Symbol.asyncDispose]())

describe('replication from PostgreSQL', () => {
  weaknessTests(() => postgresFixture(server))
})
