import { postgresForTests } from '@tidemark/test-servers/vitest'
import { describe, expect, it } from 'vitest'
import { difference, noDifference } from './fixtures/difference.ts'
import { postgresFixture } from './fixtures/postgres-fixture.ts'
import { PAUSE_POINTS, twoWorkers } from './scenarios/two-workers.ts'

const server = await postgresForTests()

describe('two workers on one replica', () => {
  it.each(PAUSE_POINTS)('take turns; the one stopped after %s is taken over from and writes nothing more', async (pauseAt) => {
    await using source = await postgresFixture(server)
    const outcome = await twoWorkers(source, pauseAt)
    expect(outcome.refused).toEqual({ code: 'LEASE_HELD', skipped: 1 })
    expect(outcome.continued).toBe('LEASE_LOST')
    expect(outcome.after === outcome.before).toBe(true)
    expect(difference(outcome.end.source, outcome.end.replica)).toEqual(noDifference)
    expect(outcome.next).toBe('ok')
    expect(outcome.integrity).toBe('ok')
  })
})
