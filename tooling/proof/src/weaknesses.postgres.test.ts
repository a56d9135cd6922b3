import { postgresForTests } from '@tidemark/test-servers/vitest'
import { describe } from 'vitest'
import { postgresFixture } from './fixtures/postgres-fixture.ts'
import { weaknessTests } from './scenarios/weaknesses.ts'

const server = await postgresForTests()

describe('replication from PostgreSQL', () => {
  weaknessTests(() => postgresFixture(server))
})
