import { TidemarkError } from '@tidemark/core/adapter'
import { expect, it } from 'vitest'
import { RecordingDecoder } from '../test/decode-recorded.ts'
import { seededNumbers } from '../test/seeded-numbers.ts'
import { alteredStream, STREAM_MUTATION_KINDS, type StreamMutation } from './test/alter-stream.ts'
import { decodeStreamed } from './test/decode-streamed.ts'

const COUNT = 1_000_000
const MAX_GROWTH_BYTES = 256 * 1024 * 1024
const LIMIT_MS = 1_200_000

it(`refuses what it does not take of ${COUNT} altered streams of open transactions by a code, in bounded memory`, { timeout: LIMIT_MS }, () => {
  const seed = Number(process.env['TIDEMARK_FUZZ_SEED'] ?? Date.now() % 1_000_000)
  process.stdout.write(`pgoutput streaming fuzz: TIDEMARK_FUZZ_SEED=${seed}\n`)
  const next = seededNumbers(seed)
  const atStart = process.memoryUsage().rss
  const outcomes = { taken: 0, refused: 0 }
  for (let i = 0; i < COUNT; i += 1) {
    const change: StreamMutation = { message: next(), kind: STREAM_MUTATION_KINDS[next() % STREAM_MUTATION_KINDS.length] ?? 'flip', at: next(), value: next() }
    try {
      decodeStreamed(alteredStream(change), new RecordingDecoder())
      outcomes.taken += 1
    } catch (error) {
      if (!(error instanceof TidemarkError) || error.code !== 'LOG_UNDECODABLE') throw new Error(`Mutation ${JSON.stringify(change)} of seed ${seed}`, { cause: error })
      outcomes.refused += 1
    }
  }
  process.stdout.write(`pgoutput streaming fuzz: ${JSON.stringify({ ...outcomes, growthMb: Math.round((process.memoryUsage().rss - atStart) / 1e6) })}\n`)
  expect(outcomes.taken + outcomes.refused).toBe(COUNT)
  expect(outcomes.refused).toBeGreaterThan(COUNT / 10)
  expect(outcomes.taken).toBeGreaterThan(COUNT / 10)
  expect(process.memoryUsage().rss - atStart).toBeLessThan(MAX_GROWTH_BYTES)
})
