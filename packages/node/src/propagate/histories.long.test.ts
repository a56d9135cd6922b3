import { expect, it } from 'vitest'
import { useFolder } from '../test/use-folder.ts'
import { seededRandom, TOPOLOGIES, writtenHistories } from '../test/written-histories.ts'

const file = useFolder()
const HISTORIES = 10_000
const KEYS = 100

it('converges in ten thousand histories', { timeout: 3_600_000 }, async () => {
  const seed = process.env['SEED'] === undefined ? Date.now() % 2 ** 31 : Number(process.env['SEED'])
  let [writes, displaced] = [0, 0]
  for (let run = 0; run * KEYS < HISTORIES; run += 1) {
    const { name, topology } = TOPOLOGIES[run % TOPOLOGIES.length] ?? { name: '', topology: {} }
    const report = await writtenHistories({ topology, keys: KEYS, writesPerKey: 8, random: seededRandom(seed + run), file: (instance) => file(`${run}-${instance}.db`) })
    const [first] = report.states
    for (const state of report.states) expect(state, `run ${run} of SEED=${seed}, ${name}`).toEqual({ ...first, name: state.name })
    expect(report.undone).toEqual([])
    writes += report.writes
    displaced += report.displaced
  }
  expect(displaced).toBeGreaterThan(0)
  process.stdout.write(`histories: ${HISTORIES} of ${writes} writes, ${displaced} rows displaced, SEED=${seed}\n`)
})
