import { expect } from 'vitest'
import { difference, noDifference } from '../fixtures/difference.ts'
import { openReplica } from '../fixtures/replica.ts'
import type { SourceFixture } from '../fixtures/source-fixture.ts'
import { seed, seededRandom } from '../seed.ts'
import { killLoop } from './kill-loop.ts'

/** The loop with its oracle: source and copy equal, row for row, once a last process was left to finish. */
export async function expectKillsSurvived(open: () => Promise<SourceFixture>, options: { readonly kills: number; readonly rows: number }): Promise<void> {
  await using source = await open()
  using replica = openReplica()
  const outcome = await killLoop(source, replica, { ...options, random: seededRandom(seed), pauseMs: 1 })
  process.stdout.write(`kill loop on ${source.engine}: seed ${seed}, ${outcome.kills} kills, ${outcome.writes} writes, ${outcome.source.length} rows\n`)
  expect(difference(outcome.source, outcome.replica)).toEqual(noDifference)
  expect(outcome.replica).toHaveLength(outcome.source.length)
  expect(outcome.integrity).toBe('ok')
  expect(outcome.writes).toBeGreaterThan(100)
}
