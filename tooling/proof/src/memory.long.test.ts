import { postgresForTests } from '@tidemark/test-servers/vitest'
import { describe, expect, it } from 'vitest'
import { postgresFixture } from './fixtures/postgres-fixture.ts'
import { openReplica } from './fixtures/replica.ts'
import { memoryRun } from './scenarios/memory.ts'

const postgres = await postgresForTests()

describe('a million rows of eight columns under a heap of 128 MB', () => {
  it.each([['PostgreSQL', () => postgresFixture(postgres)]] as const)('are loaded, polled and reconciled from %s', async (engine, open) => {
    await using source = await open()
    using replica = openReplica()
    const { load, poll, reconcile, exit, ...sides } = await memoryRun(source, replica, { doublings: 20, heapMb: 128 })
    process.stdout.write(`memory on ${engine}: ${JSON.stringify({ load, poll, reconcile })}\n`)
    expect(exit).toEqual({ code: 0, signal: null })
    expect(load).toMatchObject({ outcome: 'ok', rows: 2 ** 20 })
    expect(poll).toMatchObject({ outcome: 'ok', rows: Math.floor(2 ** 20 / 5) })
    expect(reconcile).toMatchObject({ outcome: 'ok', rows: Math.ceil(2 ** 20 / 1_000) })
    expect(sides.replica).toEqual(sides.source)
  }, 900_000)
})
