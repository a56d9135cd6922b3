import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TidemarkError } from '../errors/tidemark-error.ts'
import { decodeState, encodeState, newState, type ReplicationState } from './replication-state.ts'

const cursor = fc.record({ tracking: fc.option(fc.string(), { nil: undefined }), key: fc.array(fc.string()) })
const mark = fc.record({ cursor, fence: fc.string(), readAtMs: fc.nat() })
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined })
const value = fc.oneof(fc.constant(null), fc.boolean(), fc.integer(), fc.bigInt(), fc.string(), fc.uint8Array())

const states: fc.Arbitrary<ReplicationState> = fc.record({
  definition: fc.string(),
  phase: fc.constantFrom('new', 'loading', 'live'),
  schema: optional(fc.record({
    version: fc.string(),
    kind: fc.constantFrom('table', 'view'),
    columns: fc.array(fc.record({
      name: fc.string(), ordinal: fc.nat(), sourceType: fc.string(), logicalType: fc.constantFrom('integer', 'epoch-us', 'json'),
      storage: fc.constantFrom('integer', 'text'), scale: fc.nat(), nullable: fc.boolean(), onUnrepresentable: fc.constantFrom('error', 'null', 'text'),
    })),
    key: fc.array(fc.string()),
    indexes: fc.array(fc.record({ columns: fc.array(fc.string()), unique: fc.boolean() })),
  })),
  load: optional(fc.record({ after: optional(cursor), rows: fc.nat(), start: optional(mark), isSettled: fc.boolean() })),
  cursor: fc.record({ settled: optional(cursor), marks: fc.array(mark), pass: optional(fc.record({ after: cursor, provedMarks: fc.nat() })) }),
  reread: optional(fc.record({ reason: fc.constantFrom('late-commits', 'backfill', 'reconcile'), after: optional(cursor), mark: optional(mark) })),
  sweep: optional(fc.record({ after: optional(fc.array(value)) })),
  reconcileStartedAtMs: optional(fc.nat()),
  reconciledAtMs: optional(fc.nat()),
  healedRows: fc.nat(),
  verified: optional(fc.record({ throughTracking: optional(fc.string()), atMs: fc.nat() })),
})

describe('the stored state', () => {
  it('comes back as it was written, large integers and bytes included', () => {
    fc.assert(fc.property(states, (state) => {
      expect(decodeState(encodeState(state))).toEqual(state)
    }), { numRuns: 500 })
  })

  it('refuses what a newer release wrote, and what nobody wrote', () => {
    const newer = JSON.stringify({ ...JSON.parse(encodeState(newState('d'))), version: 99 })
    expect(() => decodeState(newer)).toThrowError(expect.objectContaining({ code: 'STATE_NEWER' }) as TidemarkError)
    for (const text of ['', '{', '[]', '{"version":1,"state":{}}']) {
      expect(() => decodeState(text)).toThrowError(expect.objectContaining({ code: 'STATE_CORRUPT' }) as TidemarkError)
    }
  })
})
