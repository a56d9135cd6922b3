import { expect } from 'vitest'
import { difference, noDifference } from '../fixtures/difference.ts'
import { openReplica } from '../fixtures/replica.ts'
import type { SourceFixture } from '../fixtures/source-fixture.ts'
import { seed, seededRandom } from '../seed.ts'
import { EXPECTED_CODES, faultLoop } from './fault-loop.ts'

/** The loop with its oracles: an equal copy, coded errors only, nothing unheard, nothing that hangs. */
export async function expectFaultsSurvived(open: () => Promise<SourceFixture>, options: { readonly cuts: number; readonly rows: number }): Promise<void> {
  await using source = await open()
  using replica = openReplica()
  process.stdout.write(`fault loop on ${source.engine}: seed ${seed}\n`)
  const { worker, exit, ...outcome } = await faultLoop(source, replica, { ...options, seed, random: seededRandom(seed), pauseMs: 1, queryTimeoutMs: 500 })
  process.stdout.write(`fault loop on ${source.engine}: ${JSON.stringify({ seed, faults: outcome.faults, writes: outcome.writes, worker })}\n`)
  expect(worker.unhandled).toEqual([])
  expect(worker.uncoded).toEqual([])
  expect(worker.warnings).toEqual([])
  expect(worker.overdue).toEqual([])
  expect(Object.keys(worker.codes).filter((code) => !(EXPECTED_CODES as readonly string[]).includes(code))).toEqual([])
  expect(exit).toEqual({ code: 0, signal: null })
  expect(difference(outcome.polled.source, outcome.polled.replica).missing).toEqual([])
  expect(difference(outcome.source, outcome.replica)).toEqual(noDifference)
  expect(outcome.replica).toHaveLength(outcome.source.length)
  expect(outcome.integrity).toBe('ok')
  // A run that met no fault of some kind, loaded nothing or never came through proves too little.
  expect(Object.entries(outcome.faults).filter(([, count]) => count === 0)).toEqual([])
  expect(worker).toMatchObject({ succeeded: expect.toSatisfy(isMany) as number, loads: expect.toSatisfy(isMany) as number })
  expect(outcome.writes).toBeGreaterThan(50)
}

function isMany(count: number): boolean {
  return count > 2
}
