import { postgresForTests } from '@tidemark/test-servers/vitest'
import { describe, expect, it } from 'vitest'
import { postgresFixture } from './fixtures/postgres-fixture.ts'
import { openReplica } from './fixtures/replica.ts'
import { lateCommitStorm } from './scenarios/late-commit-storm.ts'
import { seed, seededRandom } from './seed.ts'

const postgres = await postgresForTests()

describe('a long storm of late commits', () => {
  it.each(['id', 'updated_at'] as const)('loses no row when tracked by %s', async (tracking) => {
    await using source = await postgresFixture(postgres)
    using replica = openReplica()
    const outcome = await lateCommitStorm(source, replica, { tracking, writers: 12, durationMs: 30_000, slowSeconds: 10, random: seededRandom(seed) })
    process.stdout.write(`long storm by ${tracking}: seed ${seed}, ${outcome.written} rows, ${outcome.polls} polls, ${outcome.rowsRead} read\n`)
    expect(outcome.missing).toEqual([])
    expect(outcome.written).toBeGreaterThan(3_000)
  }, 300_000)
})
