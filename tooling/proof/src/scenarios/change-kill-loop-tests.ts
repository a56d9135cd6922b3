import { expect } from 'vitest'
import { seed, seededRandom } from '../seed.ts'
import { changeKillLoop, type ChangeKillOptions } from './change-kill-loop.ts'
import { writerKillLoop, type WriterKillOptions } from './change-writer-kill-loop.ts'

const NONE = { lost: [], repeated: [], regressed: [], disordered: [] }

/** The loop with its oracles: the copy is the source, nothing lost, nothing acknowledged comes again, no row gets older. */
export async function expectConsumerKillsSurvived(options: Omit<ChangeKillOptions, 'random'>): Promise<void> {
  const outcome = await changeKillLoop({
    ...options,
    random: seededRandom(seed),
    onGeneration: ({ faults: _faults, ...counts }) => process.stdout.write(`consumer kill loop: seed ${seed}, ${JSON.stringify(counts)}\n`),
  })
  for (const { faults, differing, notHeld, ...counts } of outcome.generations) {
    expect(notHeld).toEqual([])
    expect(faults).toEqual(NONE)
    expect(differing).toEqual([])
    expect(counts.changes).toBeGreaterThan(20)
    expect(counts.snapshotRows).toBeGreaterThanOrEqual(counts.rows / 2)
  }
  expect(outcome.integrity).toBe('ok')
}

/** The writer's side: only what was committed has come, all of it, and the file is whole. */
export async function expectWriterKillsSurvived(options: Omit<WriterKillOptions, 'random'>): Promise<void> {
  const { faults, differing, integrity, ...counts } = await writerKillLoop({ ...options, random: seededRandom(seed) })
  process.stdout.write(`writer kill loop: seed ${seed}, ${JSON.stringify(counts)}\n`)
  expect(faults).toEqual(NONE)
  expect(counts.duplicates).toBe(0)
  expect(differing).toEqual([])
  expect(integrity).toEqual(['ok'])
  expect(counts.uncommitted).toBeGreaterThan(counts.kills / 4)
  expect(counts.changes).toBeGreaterThan(counts.kills)
}
