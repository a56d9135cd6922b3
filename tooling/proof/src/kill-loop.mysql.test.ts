import { mysqlForTests } from '@tidemark/test-servers/vitest'
import { describe, expect, it } from 'vitest'
import { mysqlFixture } from './fixtures/mysql-fixture.ts'
import { difference, noDifference } from './fixtures/difference.ts'
import { openReplica } from './fixtures/replica.ts'
import { killLoop } from './scenarios/kill-loop.ts'
import { seed, seededRandom } from './seed.ts'

const engines = [await mysqlForTests({ engine: 'mariadb' }), await mysqlForTests({ engine: 'mysql' })]

describe.each(engines)('a process killed again and again while it copies from $engine $version', (server) => {
  it('leaves a copy that the next one completes, row for row', async () => {
    await using source = await mysqlFixture(server)
    using replica = openReplica()
    process.stdout.write(`kill loop: seed ${seed}\n`)
    const outcome = await killLoop(source, replica, { kills: 20, rows: 20_000, random: seededRandom(seed) })
    expect(difference(outcome.source, outcome.replica)).toEqual(noDifference)
    expect(outcome.replica).toHaveLength(outcome.source.length)
    expect(outcome.integrity).toBe('ok')
    expect(outcome.writes).toBeGreaterThan(100)
  })
})
