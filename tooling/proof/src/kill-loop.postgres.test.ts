import { postgresForTests } from '@tidemark/test-servers/vitest'
import { describe, expect, it } from 'vitest'
import { postgresFixture } from './fixtures/postgres-fixture.ts'
import { difference, noDifference } from './fixtures/difference.ts'
import { openReplica } from './fixtures/replica.ts'
import { killLoop } from './scenarios/kill-loop.ts'
import { seed, seededRandom } from './seed.ts'

const server = await postgresForTests()

describe('a process killed again and again while it copies from PostgreSQL', () => {
  it('leaves a copy that the next one completes, row for row', async () => {
    await using source = await postgresFixture(server)
    using replica = openReplica()
    process.stdout.write(`kill loop: seed ${seed}\n`)
    const outcome = await killLoop(source, replica, { kills: 20, rows: 20_000, random: seededRandom(seed) })
    expect(difference(outcome.source, outcome.replica)).toEqual(noDifference)
    expect(outcome.replica).toHaveLength(outcome.source.length)
    expect(outcome.integrity).toBe('ok')
    expect(outcome.writes).toBeGreaterThan(100)
  })
})
