import { TidemarkError } from '@tidemark/core/adapter'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecordingDecoder } from '../test/decode-recorded.ts'
import { alteredStream, STREAM_MUTATION_KINDS } from './test/alter-stream.ts'
import { BriefDecoder } from './test/brief-decoder.ts'
import { decodeSpooled, decodeStreamed } from './test/decode-streamed.ts'
import { histories } from './test/history.ts'
import { ModelServer } from './test/model-server.ts'
import { ObservedSpool } from './test/observed-spool.ts'

const mutation = fc.record({ message: fc.nat(), kind: fc.constantFrom(...STREAM_MUTATION_KINDS), at: fc.nat(), value: fc.nat(255) })

describe('a stream of transactions that go on', () => {
  it('with a fault in it is taken or refused by a code', () => {
    fc.assert(fc.property(mutation, (change) => {
      try {
        decodeStreamed(alteredStream(change), new RecordingDecoder())
      } catch (error) {
        expect(error).toBeInstanceOf(TidemarkError)
        expect(error).toMatchObject({ code: 'LOG_UNDECODABLE' })
      }
    }), { numRuns: 3_000 })
  })

  it('tells what is committed and nothing else, each row by its own columns, whatever fits into memory', async () => {
    await fc.assert(fc.asyncProperty(histories, fc.constantFrom(10_000, 40_000, 600_000, 1 << 24), async (history, memoryBytes) => {
      const server = new ModelServer(history)
      const decoder = new BriefDecoder()
      const spool = new ObservedSpool()
      expect(await decodeSpooled(server.messages, decoder, { memoryBytes, spool })).toBe(0)
      expect(decoder.told).toEqual(server.expected)
      expect(decoder.tables.filter((table) => !server.tellable.has(table))).toEqual([])
    }), { numRuns: 300 })
  })
})
