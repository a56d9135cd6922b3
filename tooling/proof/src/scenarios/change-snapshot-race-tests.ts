import { expect } from 'vitest'
import { seed, seededRandom } from '../seed.ts'
import { snapshotRace, type SnapshotRaceOptions } from './change-snapshot-race.ts'

const NONE = { lost: [], repeated: [], regressed: [], disordered: [] }

export async function expectSnapshotRaceWon(options: Omit<SnapshotRaceOptions, 'random'>): Promise<void> {
  const { subscribers, writes } = await snapshotRace({ ...options, random: seededRandom(seed) })
  for (const { faults, differing, ...counts } of subscribers) {
    process.stdout.write(`snapshot race: seed ${seed}, ${JSON.stringify({ ...counts, ...writes })}\n`)
    expect(faults).toEqual(NONE)
    expect(differing).toEqual([])
    expect(counts.duplicates).toBe(0)
    expect(counts.changes).toBeGreaterThan(0)
  }
  expect(writes.committed).toBeGreaterThan(50)
}
