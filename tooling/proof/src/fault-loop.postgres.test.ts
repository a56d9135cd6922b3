import { postgresForTests } from '@tidemark/test-servers/vitest'
import { describe, it } from 'vitest'
import { postgresFixture } from './fixtures/postgres-fixture.ts'
import { expectFaultsSurvived } from './scenarios/fault-loop-tests.ts'

const server = await postgresForTests()

describe('a network that breaks again and again before PostgreSQL', () => {
  it('costs time, and no row', () => expectFaultsSurvived(() => postgresFixture(server), { cuts: 40, rows: 4_000 }))
})
