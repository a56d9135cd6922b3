import { postgresForTests } from '@tidemark/test-servers/vitest'
import { describe, it } from 'vitest'
import { postgresFixture } from './fixtures/postgres-fixture.ts'
import { expectKillsSurvived } from './scenarios/kill-loop-tests.ts'

const server = await postgresForTests()

describe('a process killed again and again while it copies from PostgreSQL', () => {
  it('leaves a copy that the next one completes, row for row', () => expectKillsSurvived(() => postgresFixture(server), { kills: 20, rows: 20_000 }))
})
