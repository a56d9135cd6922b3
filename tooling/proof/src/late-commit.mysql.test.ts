import { mysqlForTests } from '@tidemark/test-servers/vitest'
import { describe, expect, it } from 'vitest'
import { mysqlFixture } from './fixtures/mysql-fixture.ts'
import { openReplica } from './fixtures/replica.ts'
import { lateCommitStorm } from './scenarios/late-commit-storm.ts'
import { seed, seededRandom } from './seed.ts'

const engines = [await mysqlForTests({ engine: 'mariadb' }), await mysqlForTests({ engine: 'mysql' })]

describe.each(engines)('a storm of late commits on $engine $version', (server) => {
  it.each(['id', 'updated_at'] as const)('loses no row when tracked by %s', async (tracking) => {
    await using source = await mysqlFixture(server)
    using replica = openReplica()
    const outcome = await lateCommitStorm(source, replica, { tracking, writers: 12, durationMs: 9_000, slowSeconds: 4, random: seededRandom(seed) })
    process.stdout.write(`storm by ${tracking}: seed ${seed}, ${outcome.written} rows, ${outcome.polls} polls, ${outcome.rowsRead} read\n`)
    expect(outcome.missing).toEqual([])
    expect(outcome.written).toBeGreaterThan(1_000)
  })
})
