import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { useFolder } from '../test/use-folder.ts'
import { seededRandom, TOPOLOGIES, writtenHistories } from '../test/written-histories.ts'

const file = useFolder()
const KEYS = 60

describe('histories of rows that several instances write', () => {
  it.each(TOPOLOGIES)('end alike on all, with what nobody has overwritten knowingly ($name)', { timeout: 120_000 }, async ({ topology }) => {
    let run = 0
    await fc.assert(fc.asyncProperty(fc.integer(), async (seed) => {
      run += 1
      const { states, undone } = await writtenHistories({ topology, keys: KEYS, writesPerKey: 6, random: seededRandom(seed), file: (name) => file(`${run}-${name}.db`) })
      const [first] = states
      for (const state of states) expect(state).toEqual({ ...first, name: state.name })
      expect(undone).toEqual([])
    }), { numRuns: 3, endOnFailure: true })
  })
})
