import { postgresForTests } from '@tidemark/test-servers/vitest'
import { describe, it } from 'vitest'
import { postgresFixture } from './fixtures/postgres-fixture.ts'
import { expectKillsSurvived } from './scenarios/kill-loop-tests.ts'

const postgres = await postgresForTests()

describe('a process killed 150 times while it copies', () => {
  it.each([['PostgreSQL', () => postgresFixture(postgres)]] as const)('leaves a copy of %s that the next one completes', async (_engine, open) => {
    await expectKillsSurvived(open, { kills: 150, rows: 20_000 })
  }, 900_000)
})
