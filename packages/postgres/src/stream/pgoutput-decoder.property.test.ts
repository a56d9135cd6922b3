import { TidemarkError } from '@tidemark/core/adapter'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecordingDecoder } from './test/decode-recorded.ts'
import { mutated, MUTATION_KINDS } from './test/mutate-recorded.ts'
import { RECORDED } from './test/recorded-messages.ts'

const mutation = fc.record({ message: fc.nat(), kind: fc.constantFrom(...MUTATION_KINDS), at: fc.nat(), value: fc.nat(255) })

describe('the pgoutput decoder', () => {
  it('takes altered messages or refuses them by a code', () => {
    fc.assert(fc.property(mutation, (change) => {
      const { before, altered } = mutated(change)
      const decoder = new RecordingDecoder()
      for (const message of before) decoder.decode(message)
      try {
        decoder.decode(altered)
      } catch (error) {
        expect(error).toBeInstanceOf(TidemarkError)
        expect(error).toMatchObject({ code: 'LOG_UNDECODABLE' })
      }
    }), { numRuns: 3_000 })
  })

  it('tells the same of a message wherever it lies in its buffer', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40 }), (front, back) => {
      const plain = new RecordingDecoder()
      const wrapped = new RecordingDecoder()
      for (const message of RECORDED) {
        plain.decode(message)
        wrapped.decodeWithin(Buffer.concat([front, message, back]), front.length, front.length + message.length)
      }
      expect(wrapped.told).toEqual(plain.told)
    }), { numRuns: 50 })
  })
})
