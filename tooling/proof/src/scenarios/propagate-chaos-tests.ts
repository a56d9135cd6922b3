import { expect } from 'vitest'
import { WorkerPool } from '../fixtures/chaos-instance.ts'
import { seed } from '../seed.ts'
import { propagateChaos, type ChaosOutcome } from './propagate-chaos.ts'

/** Runs at once: most of the time one waits for a process that starts, or for a timeout. */
const AT_ONCE = 2

const CLEAN = { violations: [], differing: [], notLive: [], idleMessages: 0, restarts: 0 }

/** So many seeds, from the printed one on; `SEED=…` with one run replays one. */
export async function expectChaosSurvived({ runs }: { readonly runs: number }): Promise<void> {
  await using pool = new WorkerPool()
  const outcomes: ChaosOutcome[] = []
  const seeds = Array.from({ length: runs }, (_, index) => seed + index)
  const work = async (): Promise<void> => {
    for (let next = seeds.shift(); next !== undefined; next = seeds.shift()) outcomes.push(await expectSurvived(next, pool))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  const total = (of: (outcome: ChaosOutcome) => number): number => Math.round(outcomes.reduce((sum, outcome) => sum + of(outcome), 0))
  process.stdout.write(`propagate chaos: ${runs} seeds from ${seed}, ${total(({ kills }) => kills)} kills, ${total(({ faults }) => faults)} faults, ${total(({ messages }) => messages)} messages, ${total(({ compared }) => compared)} looks, ${pool.started} processes\n`)
  expect(total(({ compared }) => compared)).toBeGreaterThan(0)
}

async function expectSurvived(run: number, pool: WorkerPool): Promise<ChaosOutcome> {
  const outcome = await propagateChaos(run, pool).catch((error: unknown) => {
    throw new Error(`Seed ${run} failed.`, { cause: error })
  })
  const { plan: { topology, peersHave, events }, violations, differing, notLive, idleMessages, restarts, integrity, ...counts } = outcome
  process.stdout.write(`propagate chaos: seed ${run}, ${topology}, ${peersHave}, ${JSON.stringify({ ...counts, restarts })}\n`)
  const mayRestart = events.some(({ kind }) => kind === 'restore')
  expect({ violations, differing, notLive, idleMessages, restarts: mayRestart ? 0 : restarts }, `seed ${run}`).toEqual(CLEAN)
  expect(new Set(integrity), `seed ${run}`).toEqual(new Set(['ok']))
  return outcome
}
