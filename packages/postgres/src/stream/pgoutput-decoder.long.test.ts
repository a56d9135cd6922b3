import { TidemarkError } from '@tidemark/core/adapter'
import { expect, it } from 'vitest'
import { RecordingDecoder } from './test/decode-recorded.ts'
import { mutated, MUTATION_KINDS } from './test/mutate-recorded.ts'
import { seededNumbers } from './test/seeded-numbers.ts'

const COUNT = 1_000_000
const MAX_GROWTH_BYTES = 256 * 1024 * 1024

it(`refuses what it does not take of ${COUNT} altered messages by a code, in bounded memory`, () => {
  const seed = Number(process.env['TIDEMARK_FUZZ_SEED'] ?? Date.now() % 1_000_000)
  process.stdout.write(`pgoutput fuzz: TIDEMARK_FUZZ_SEED=${seed}\n`)
  const next = seededNumbers(seed)
  const atStart = process.memoryUsage().rss
  const outcomes = { taken: 0, refused: 0 }
  for (let i = 0; i < COUNT; i += 1) {
    const change = { message: next(), kind: MUTATION_KINDS[next() % MUTATION_KINDS.length] ?? 'flip', at: next(), value: next() } as const
    const { before, altered } = mutated(change)
    const decoder = new RecordingDecoder()
    for (const message of before) if (message[0] === RELATION) decoder.decode(message)
    try {
      decoder.decode(altered)
      outcomes.taken += 1
    } catch (error) {
      if (!(error instanceof TidemarkError) || error.code !== 'LOG_UNDECODABLE') throw new Error(`Mutation ${JSON.stringify(change)} of seed ${seed}`, { cause: error })
      outcomes.refused += 1
    }
  }
  expect(outcomes.taken + outcomes.refused).toBe(COUNT)
  expect(outcomes.refused).toBeGreaterThan(COUNT / 10)
  expect(process.memoryUsage().rss - atStart).toBeLessThan(MAX_GROWTH_BYTES)
})

const RELATION = 0x52
