import { postgresForTests } from '@tidemark/test-servers/vitest'
import { describe, expect, it } from 'vitest'
import { churnRows, createChurn } from './fixtures/churn.ts'
import { difference, noDifference } from './fixtures/difference.ts'
import { postgresFixture } from './fixtures/postgres-fixture.ts'
import { openReplica } from './fixtures/replica.ts'
import { startWorker } from './fixtures/worker.ts'
import type { LeakWorkerReport } from './scenarios/leak-worker.ts'

const server = await postgresForTests()

describe('a process that starts and stops a replicator of PostgreSQL again and again', () => {
  it('keeps nothing, can be aborted in every phase, and ends by itself', async () => {
    await using source = await postgresFixture(server)
    using replica = openReplica()
    await createChurn(source, 3_000)
    await using worker = startWorker('leak-worker.ts', { input: { url: source.url, path: replica.path, rounds: 60 } })
    const outcome = await worker.message<LeakWorkerReport>()
    process.stdout.write(`leaks: ${JSON.stringify(outcome)}\n`)
    // A process that something keeps alive runs into the test's own limit here.
    expect(await worker.exit).toEqual({ code: 0, signal: null })
    expect(outcome.synced).toBe(60)
    expect(outcome.late).toEqual(outcome.early)
    expect(outcome.signalListeners).toBe(0)
    expect(outcome.startedInVain).toBe(0)
    expect(outcome.aborts).toEqual(['start', 'load', 'poll', 'reread', 'sweep'].map((phase) => ({ phase, code: 'ABORTED', isInTime: true, next: 'ok' })))
    expect(outcome.unhandled).toEqual([])
    const rows = await churnRows(source, replica)
    expect(difference(rows.source, rows.replica)).toEqual(noDifference)
  })
})
